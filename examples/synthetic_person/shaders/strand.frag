// Hair after Kajiya and Kay, with a second, tinted and shifted highlight after Marschner.
in vec3 position;
in vec3 tangent;
in vec3 strand;     // place along 0..1, shade, ambient occlusion
in float across;
uniform vec3 colour;
uniform float shine;

float lobe(vec3 t, vec3 v, vec3 l, float shift, float power) {
    vec3 h = normalize(l + v);
    float along = dot(t, h) + shift;
    return pow(max(1.0 - along * along, 0.0), power);
}

void main() {
    vec3 t = normalize(tangent), v = normalize(-position);
    vec3 n = normalize(v - t * dot(v, t));
    float lit = shadow(position, n);
    float open = strand.z * mix(0.45, 1.0, smoothstep(0.0, 0.5, strand.x));
    vec3 albedo = colour * (0.65 + 0.7 * strand.y);
    vec3 sum = albedo * ambient(n) * open * 1.2;
    for (int i = 0; i < 3; i++) {
        vec3 l = light_direction[i];
        float along = dot(t, l);
        float diffuse = sqrt(max(1.0 - along * along, 0.0)) * max(0.35 + 0.65 * dot(n, l), 0.0);
        float visible = i == 0 ? lit * mix(open, 1.0, 0.3) : open;
        float first = lobe(t, v, l, 0.10 + 0.10 * (strand.y - 0.5), 70.0);
        float second = lobe(t, v, l, -0.12 + 0.10 * (strand.y - 0.5), 18.0);
        float facing = smoothstep(-0.3, 0.6, dot(n, l));
        sum += light_colour[i] * visible * (albedo * diffuse * 0.75
            + shine * facing * (0.035 * first * vec3(1.0) + 0.55 * second * albedo));
    }
    pixel = vec4(sum, 1.0);
}
