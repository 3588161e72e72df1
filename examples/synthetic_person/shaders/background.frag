in vec2 place;
layout(location = 0) out vec4 pixel;
uniform sampler3D noise_map;

void main() {
    vec2 from = place - vec2(0.60, 0.42);
    float glow = exp(-2.6 * dot(from, from));
    vec3 colour = mix(vec3(0.075, 0.090, 0.108), vec3(0.34, 0.37, 0.39), glow);
    colour *= 1.0 + 0.03 * texture(noise_map, vec3(place * 0.06, 0.3)).r;
    pixel = vec4(colour, 0.0);
}
