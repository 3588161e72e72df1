// A ribbon that always faces the camera, around a strand's centre line.
in vec3 in_position;
in vec3 in_tangent;
in vec4 in_strand;  // signed half width, place along the strand 0..1, shade, ambient occlusion
out vec3 position;
out vec3 tangent;
out vec3 strand;
out float across;
uniform mat4 head, clip;
uniform vec4 viewer;    // a place (w = 1), or the direction of looking of a distant viewer (w = 0)

void main() {
    position = (head * vec4(in_position, 1.0)).xyz;
    tangent = normalize(mat3(head) * in_tangent);
    vec3 side = normalize(cross(tangent, viewer.w > 0.5 ? position - viewer.xyz : viewer.xyz));
    position += side * in_strand.x;
    strand = in_strand.yzw;
    across = sign(in_strand.x);
    gl_Position = clip * vec4(position, 1.0);
}
