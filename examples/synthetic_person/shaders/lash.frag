// Lashes on strips along the lids' edges: six strips above one another in texture space, the upper three the longer.
in vec3 position;
in vec3 normal;
in vec3 rest;
in vec3 uv;
in float occlusion;

uniform float fringe;

void main() {
    float from_root = 1.0 - (mod(uv.y, 1.0 / 6.0) * 6.0 - 0.09) / 0.84;
    bool upper = uv.y > 0.5;
    float place = uv.x * (upper ? 96.0 : 70.0) + 3.7 * floor(uv.y * 6.0);
    float random = fract(sin(floor(place) * 12.9898) * 43758.5453);
    float reach = fringe * (upper ? 0.95 : 0.42) * (0.6 + 0.4 * random);
    float thickness = (upper ? 0.40 * fringe : 0.15) * smoothstep(6.99, 6.94, uv.x) * (1.0 - from_root / reach);
    bool edge = upper && from_root < 0.10;
    if (!edge && abs(fract(place) - 0.5 + 0.25 * (random - 0.5)) > thickness) discard;
    plain(upper ? vec3(0.016, 0.011, 0.009) : vec3(0.06, 0.035, 0.025), 1.0);
}
