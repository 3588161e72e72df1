layout(location = 0) out vec4 pixel;  // linear colour, class (0 background, 1 head, 2 torso)
in vec3 position;
in vec3 normal;
in vec3 rest;
in vec3 uv;
in float occlusion;
uniform sampler2DArray paint;

void main() {
    vec4 painted = texture(paint, uv);
    vec3 albedo = painted.rgb;
    vec3 n = normalize(normal), v = normalize(-position);
    float lit = shadow(position, n);
    // Light that enters the skin comes out nearby, red farthest: soft, warm terminators and shadow edges.
    const vec3 wrap = vec3(0.38, 0.20, 0.15);
    vec3 bleed = pow(vec3(max(lit, 1e-3)), vec3(0.62, 0.9, 1.0));
    vec3 open = pow(vec3(max(occlusion, 1e-3)), vec3(0.75, 1.0, 1.08));
    vec3 diffuse = ambient(n) * open;
    float spec = 0.0;
    vec3 specular = vec3(0.0);
    float tight = mix(0.50, 0.30, painted.a), broad = 0.62;
    for (int i = 0; i < 3; i++) {
        vec3 l = light_direction[i];
        vec3 wrapped = max((dot(n, l) + wrap) / (1.0 + wrap), 0.0);
        vec3 visible = i == 0 ? bleed : mix(open, vec3(1.0), 0.4);
        diffuse += light_colour[i] * wrapped * wrapped * (2.0 - wrapped) * 0.93 * visible;
        float lobes = mix(gloss(n, v, l, broad, 0.028), gloss(n, v, l, tight, 0.028), painted.a);
        specular += light_colour[i] * lobes * (i == 0 ? lit : occlusion);
    }
    float grazing = pow(1.0 - max(dot(n, v), 0.0), 4.0);
    specular += ambient(reflect(-v, n)) * (0.02 + 0.16 * grazing) * occlusion * occlusion;
    pixel = vec4(albedo * diffuse + specular, 1.0);
}
