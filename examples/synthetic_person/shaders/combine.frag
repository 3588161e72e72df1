// The second half of the spread, and the skin's colour and gloss on it.
in vec2 place;
uniform sampler2D light_map, scene, tone_map;
uniform float centimetre;
layout(location = 0) out vec4 pixel;

const vec3 REACH = vec3(0.24, 0.105, 0.07);

void main() {
    pixel = texelFetch(scene, ivec2(gl_FragCoord.xy), 0);
    if (texture(light_map, place).a < 0.5) return;
    vec3 sum = vec3(0.0), total = vec3(0.0);
    for (int i = -9; i <= 9; i++) {
        float away = float(i) * 0.062;
        vec4 there = texture(light_map, place + vec2(0.0, away * centimetre));
        vec3 weight = exp(-0.5 * away * away / (REACH * REACH)) * there.a;
        sum += weight * there.rgb;
        total += weight;
    }
    pixel.rgb += texelFetch(tone_map, ivec2(gl_FragCoord.xy), 0).rgb * sum / max(total, 1e-4);
}
