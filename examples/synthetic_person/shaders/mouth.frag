// Teeth, gums and tongue, and the socket around them: wet, and darker and redder the deeper they lie.
in vec3 position;
in vec3 normal;
in vec3 rest;
in vec3 uv;
in float occlusion;
uniform float opening;  // of the lips, 0 to 1
uniform int tissue;     // 0 socket, 1 gums, 2 tongue, 3 teeth
uniform sampler3D noise_map;

float noise(vec3 p) { return texture(noise_map, p / 32.0).r; }

void main() {
    const vec3 colours[4] = vec3[](vec3(0.26, 0.045, 0.04), vec3(0.46, 0.15, 0.14), vec3(0.43, 0.165, 0.15), vec3(0.60, 0.545, 0.455));
    vec3 n = normalize(normal), v = normalize(-position);
    if (dot(n, v) < 0.0) n = -n;
    float front = smoothstep(tissue == 3 ? 6.0 : 5.0, 10.5, rest.z);
    front *= front;
    bool teeth = tissue == 3;
    float open = mix(teeth ? 0.55 : 0.30, 1.0, occlusion) * mix(teeth ? 0.10 : 0.17, 1.0, front) * mix(teeth ? 0.85 : 0.5, 1.0, opening);
    float lit = shadow(position, n);
    vec3 albedo = colours[tissue];
    vec3 bump = vec3(noise(rest * 9.0), noise(rest * 9.0 + 7.0), noise(rest * 9.0 + 13.0));
    if (teeth) {
        // Bluish and glassy at the cutting edge, yellower towards the gums.
        float edge = smoothstep(0.0, 0.60, abs(rest.y + 3.25));
        albedo = mix(vec3(0.54, 0.525, 0.485), mix(albedo, vec3(0.55, 0.46, 0.34), edge), smoothstep(0.0, 0.22, abs(rest.y + 3.3)));
    } else if (tissue == 2) {
        albedo *= 1.0 + 0.10 * bump.x;
        n = normalize(n + 0.10 * bump);
    }
    vec3 diffuse = ambient(n) * open * 1.1;
    vec3 specular = vec3(0.0);
    for (int i = 0; i < 2; i++) {
        float visible = (i == 0 ? (teeth ? 0.5 + 0.5 * lit : 0.38 + 0.62 * lit) : 1.0) * open;
        diffuse += light_colour[i] * max(dot(n, light_direction[i]) * 0.65 + 0.35, 0.0) * visible;
        specular += light_colour[i] * gloss(n, v, light_direction[i], 0.24, 0.04) * visible;
    }
    // What has been reflected between red walls is red.
    vec3 tinted = mix(vec3(0.95, 0.62, 0.56), vec3(1.0), smoothstep(0.10, 0.60, open));
    plain(albedo * diffuse * tinted + specular * 0.55 * front, 1.0);
}
