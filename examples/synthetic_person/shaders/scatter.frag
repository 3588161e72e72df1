// Light that has entered the skin spreads, red farthest; first across the picture, then (combine.frag) down.
in vec2 place;
uniform sampler2D light_map;
uniform float centimetre;   // in units of the picture's width
layout(location = 0) out vec4 pixel;

const vec3 REACH = vec3(0.24, 0.105, 0.07);    // standard deviation of the spread, in cm

void main() {
    vec4 here = texture(light_map, place);
    pixel = here;
    if (here.a < 0.5) return;
    vec3 sum = vec3(0.0), total = vec3(0.0);
    for (int i = -9; i <= 9; i++) {
        float away = float(i) * 0.062;
        vec4 there = texture(light_map, place + vec2(away * centimetre, 0.0));
        vec3 weight = exp(-0.5 * away * away / (REACH * REACH)) * there.a;
        sum += weight * there.rgb;
        total += weight;
    }
    pixel.rgb = sum / max(total, 1e-4);
}
