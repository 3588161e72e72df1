// Teeth, gums and tongue, and the socket around them: wet, and darker the deeper they lie.
in vec3 position;
in vec3 normal;
in vec3 rest;
in vec3 uv;
in float occlusion;
uniform float opening;  // of the lips, 0 to 1
uniform int tissue;     // 0 socket, 1 gums, 2 tongue, 3 teeth

void main() {
    const vec3 colours[4] = vec3[](vec3(0.28, 0.055, 0.05), vec3(0.55, 0.20, 0.19), vec3(0.62, 0.25, 0.23), vec3(0.80, 0.75, 0.66));
    vec3 n = normalize(normal), v = normalize(-position);
    if (dot(n, v) < 0.0) n = -n;
    float depth = smoothstep(4.5, 10.4, rest.z);
    float open = occlusion * mix(0.16, 1.0, depth * depth) * mix(0.5, 1.0, opening);
    float lit = shadow(position, n);
    vec3 albedo = colours[tissue];
    if (tissue == 3) {
        float edge = smoothstep(0.0, 0.55, abs(rest.y + 3.25));
        albedo = mix(albedo, vec3(0.74, 0.62, 0.48), 0.45 * edge);
    }
    vec3 diffuse = ambient(n) * open;
    vec3 specular = vec3(0.0);
    for (int i = 0; i < 2; i++) {
        float visible = (i == 0 ? 0.25 + 0.75 * lit : 1.0) * open;
        diffuse += light_colour[i] * max(dot(n, light_direction[i]) * 0.7 + 0.3, 0.0) * visible;
        specular += light_colour[i] * gloss(n, v, light_direction[i], 0.27, 0.04) * visible;
    }
    vec3 inside = tissue == 3 ? vec3(1.0, 0.97, 0.94) : vec3(1.0);
    plain(albedo * diffuse * inside + specular * 0.6 * depth, 1.0);
}
