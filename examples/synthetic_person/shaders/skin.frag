// Skin: light that enters it is handed to the film to be spread; an oily film of two lobes mirrors the rest.
in vec3 position;
in vec3 normal;
in vec3 rest;
in vec3 uv;
in float occlusion;
uniform sampler2DArray paint, relief;
uniform mat4 head;

void main() {
    vec4 painted = texture(paint, uv);
    vec4 carved = texture(relief, uv);
    vec3 smooth_n = normalize(normal), v = normalize(-position);
    vec3 slope = mat3(head) * carved.xyz;
    vec3 n = normalize(smooth_n - (slope - smooth_n * dot(slope, smooth_n)));
    // What is finer than the spread of light shows in the gloss rather than in the colour.
    vec3 soft_n = normalize(mix(smooth_n, n, 0.75));
    float lit = shadow(position, smooth_n);
    const vec3 wrap = vec3(0.20, 0.09, 0.06);
    vec3 open = pow(vec3(max(occlusion, 1e-3)), vec3(0.80, 1.0, 1.06));
    vec3 diffuse = ambient(soft_n) * open;
    vec3 specular = vec3(0.0);
    // The light from behind reaches only its own side of the face.
    float behind = smoothstep(1.5, 5.5, sign(light_direction[2].x) * rest.x);
    float tight = mix(0.44, 0.27, painted.a), broad = 0.56;
    for (int i = 0; i < 3; i++) {
        vec3 l = light_direction[i];
        vec3 wrapped = max((dot(soft_n, l) + wrap) / (1.0 + wrap), 0.0);
        vec3 visible = i == 0 ? vec3(lit) : mix(open, vec3(1.0), 0.25) * (i == 2 ? behind : 1.0);
        diffuse += light_colour[i] * wrapped * visible;
        float lobes = 0.46 * gloss(n, v, l, broad, 0.028) + 0.24 * painted.a * gloss(n, v, l, tight, 0.028);
        specular += light_colour[i] * lobes * (i == 0 ? lit : i == 1 ? occlusion : occlusion * behind);
    }
    float grazing = pow(1.0 - max(dot(n, v), 0.0), 4.0);
    specular += ambient(reflect(-v, n)) * (0.02 + 0.14 * grazing) * occlusion * occlusion;
    pixel = vec4(specular * carved.w, 1.0);
    inflow = vec4(diffuse, 1.0);
    // Nostrils and the ears' canals are dark, not red.
    float hollow = smoothstep(0.02, 0.22, occlusion);
    tone = vec4(painted.rgb * mix(0.75, 1.0, carved.w) * mix(0.25, 1.0, hollow), 1.0);
}
