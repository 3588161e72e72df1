// Every sample is developed like film before the four of a pixel are averaged, so that highlights stay smooth.
in vec2 place;
uniform sampler2D scene;
uniform float exposure;
layout(location = 0) out vec4 pixel;

vec3 develop(vec3 x) {
    x *= exposure;
    x = clamp((x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14), 0.0, 1.0);
    return mix(12.92 * x, 1.055 * pow(x, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, x));
}

void main() {
    ivec2 corner = ivec2(gl_FragCoord.xy) * 2;
    vec3 sum = vec3(0.0);
    for (int i = 0; i < 4; i++) sum += develop(texelFetch(scene, corner + ivec2(i & 1, i >> 1), 0).rgb);
    vec2 off = place - 0.5;
    pixel = vec4(sum / 4.0 * (1.0 - 0.28 * dot(off, off)), 1.0);
}
