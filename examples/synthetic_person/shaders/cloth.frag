// Knitwear: matt, with a soft sheen at grazing angles; `uv` counts stitches, `rest.z` marks the ribbed collar.
layout(location = 0) out vec4 pixel;  // linear colour, class (0 background, 1 head, 2 torso)
in vec3 position;
in vec3 normal;
in vec3 rest;
in vec3 uv;
in float occlusion;
uniform vec3 colour;
uniform sampler3D noise_map;

float noise(vec3 p) { return texture(noise_map, p / 32.0).r; }

void main() {
    vec3 n = normalize(normal), v = normalize(-position);
    float rib = 0.5 + 0.5 * cos(uv.x * 2.0 * PI);
    float stitch = mix(0.9 + 0.10 * noise(rest * 7.0), 0.62 + 0.38 * rib, uv.z);
    float heather = 1.0 + 0.10 * noise(rest * 3.0) + 0.06 * noise(rest * 0.6);
    vec3 albedo = colour * heather * stitch;
    float lit = shadow(position, n);
    float grazing = pow(1.0 - max(dot(n, v), 0.0), 3.0);
    vec3 light = matt(n, lit, occlusion);
    pixel = vec4(albedo * light + colour * light * 0.35 * grazing, 2.0);
}
