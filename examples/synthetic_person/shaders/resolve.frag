// Every sample is developed like film before a pixel's are averaged, so that highlights stay smooth; a lens's softness.
in vec2 place;
uniform sampler2D scene;
uniform float exposure;
uniform int samples;    // along one side of a pixel
layout(location = 0) out vec4 pixel;

vec3 develop(vec3 x) {
    x *= exposure;
    x = clamp((x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14), 0.0, 1.0);
    return mix(12.92 * x, 1.055 * pow(x, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, x));
}

void main() {
    ivec2 corner = ivec2(gl_FragCoord.xy) * samples, last = textureSize(scene, 0) - 1;
    int margin = samples / 2;
    vec3 sum = vec3(0.0);
    float total = 0.0;
    for (int j = -margin; j < samples + margin; j++)
        for (int i = -margin; i < samples + margin; i++) {
            vec2 away = (vec2(i, j) + 0.5) / float(samples) - 0.5;
            float weight = exp(-dot(away, away) / 0.45);
            sum += weight * develop(texelFetch(scene, clamp(corner + ivec2(i, j), ivec2(0), last), 0).rgb);
            total += weight;
        }
    vec2 off = place - 0.5;
    pixel = vec4(sum / total * (1.0 - 0.30 * dot(off, off)), 1.0);
}
