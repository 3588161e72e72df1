// Hair: ribbons that always face the camera, around the strands' centre lines, lit after Kajiya and Kay with a second,
// tinted and shifted highlight after Marschner. Light changes little along a strand: it is found per vertex.
in vec3 in_position;
in vec3 in_tangent;
in float in_grey;   // 1 where the strand has the second colour
in vec4 in_strand;  // signed half width, place along the strand 0..1, shade, ambient occlusion
out vec3 light;
uniform mat4 head, clip;
uniform vec4 viewer;    // a place (w = 1), or the direction of looking of a distant viewer (w = 0)
uniform vec3 colour, second;
uniform float shine;

const float THROUGH = 0.4;   // of the key light finds its way through other hair

float lobe(vec3 t, vec3 v, vec3 l, float shift, float power) {
    vec3 h = normalize(l + v);
    float along = dot(t, h) + shift;
    return pow(max(1.0 - along * along, 0.0), power);
}

vec3 shade(vec3 position, vec3 t) {
    vec3 v = normalize(-position);
    vec3 n = normalize(v - t * dot(v, t));
    float lit = mix(THROUGH, 1.0, quick_shadow(position, n));
    float open = in_strand.w * mix(0.62, 1.0, smoothstep(0.0, 0.5, in_strand.y));
    vec3 albedo = mix(colour, second, in_grey) * (0.60 + 0.8 * in_strand.z);
    vec3 sum = albedo * ambient(n) * open * 1.2;
    for (int i = 0; i < 3; i++) {
        vec3 l = light_direction[i];
        float along = dot(t, l);
        float diffuse = sqrt(max(1.0 - along * along, 0.0)) * max(0.35 + 0.65 * dot(n, l), 0.0);
        float visible = i == 0 ? lit * mix(open, 1.0, 0.3) : open;
        float first = lobe(t, v, l, 0.10 + 0.10 * (in_strand.z - 0.5), 70.0);
        float second = lobe(t, v, l, -0.12 + 0.10 * (in_strand.z - 0.5), 18.0);
        float facing = smoothstep(-0.3, 0.6, dot(n, l));
        sum += light_colour[i] * visible * (albedo * diffuse * 0.75
            + shine * facing * (0.035 * first * vec3(1.0) + 0.55 * second * albedo));
    }
    return sum;
}

void main() {
    vec3 position = (head * vec4(in_position, 1.0)).xyz;
    vec3 tangent = normalize(mat3(head) * in_tangent);
    vec3 side = normalize(cross(tangent, viewer.w > 0.5 ? position - viewer.xyz : viewer.xyz));
    position += side * in_strand.x;
    light = shade(position, tangent);
    gl_Position = clip * vec4(position, 1.0);
}
