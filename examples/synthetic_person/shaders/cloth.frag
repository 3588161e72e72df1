// Cloth: matt, with a soft sheen at grazing angles; `uv` is the place in the weave and the distance to the edge.
in vec3 position;
in vec3 normal;
in vec3 rest;
in vec3 uv;
in float occlusion;
uniform vec3 colour;
uniform int weave;      // 0 knitted, 1 ribbed, 2 shirting, 3 wool
uniform sampler3D noise_map;

float noise(vec3 p) { return texture(noise_map, p / 32.0).r; }

void main() {
    if (uv.z < 0.0) discard;
    vec3 n = normalize(normal), v = normalize(-position);
    if (dot(n, v) < 0.0) n = -n;
    float rib = 0.5 + 0.5 * cos(uv.x * 2.0 * PI);
    float tint = 1.0, sheen = 0.3;
    if (weave == 0) {
        // Stitches: rows of small chevrons.
        float wale = abs(fract(uv.x * 3.0) - 0.5) * 2.0;
        float course = 0.5 + 0.5 * cos(2.0 * PI * (uv.y * 2.0 + 0.5 * wale));
        tint = (0.80 + 0.16 * course * smoothstep(1.0, 0.6, wale) + 0.06 * noise(rest * 6.0)) * (1.0 + 0.10 * noise(rest * 2.4) + 0.05 * noise(rest * 0.6));
    }
    else if (weave == 1) tint = (0.55 + 0.42 * rib) * (1.0 + 0.08 * noise(rest * 4.0));
    else if (weave == 2) { tint = 1.0 + 0.02 * noise(rest * 8.0); sheen = 0.08; }
    else { tint = 1.0 + 0.16 * noise(rest * vec3(9.0, 3.0, 9.0)) + 0.12 * noise(rest * vec3(3.0, 9.0, 3.0)); sheen = 0.22; }
    // Rounded at a cut edge, with a seam beside it.
    float edge = smoothstep(0.0, 0.14, uv.z);
    tint *= mix(0.72, 1.0, edge) * (1.0 - 0.10 * exp(-pow((uv.z - 0.45) / 0.06, 2.0)));
    vec3 albedo = colour * tint;
    float lit = shadow(position, n);
    float grazing = pow(1.0 - max(dot(n, v), 0.0), 3.0);
    vec3 light = matt(n, lit, occlusion);
    plain(albedo * light + colour * light * sheen * grazing, 2.0);
}
