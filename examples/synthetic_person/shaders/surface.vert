// A mesh whose vertices follow the head, the torso, or a blend of the two (linear blend skinning).
in vec3 in_position;
in vec3 in_normal;
in vec3 in_rest;
in vec3 in_uv;
in vec2 in_shade;   // ambient occlusion, weight of the head
out vec3 position;
out vec3 normal;
out vec3 rest;
out vec3 uv;
out float occlusion;
uniform mat4 head, torso, clip;

void main() {
    mat4 blend = in_shade.y * head + (1.0 - in_shade.y) * torso;
    position = (blend * vec4(in_position, 1.0)).xyz;
    normal = mat3(blend) * in_normal;
    rest = in_rest;
    uv = in_uv;
    occlusion = in_shade.x;
    gl_Position = clip * vec4(position, 1.0);
}
