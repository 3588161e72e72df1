// The eyeball: sclera, iris behind the cornea, and the studio's windows mirrored in the wet surface.
in vec3 position;
in vec3 normal;
in vec3 rest;
in vec3 uv;
in float occlusion;
uniform vec3 centre;    // of this eyeball on the mean mesh
uniform mat4 head;
uniform vec3 iris_inner, iris_outer, white_of_eye;
uniform sampler3D noise_map;

float noise(vec3 p) { return texture(noise_map, p / 32.0).r; }

float window(vec3 mirrored, vec3 l, float size) {
    return smoothstep(size, mix(size, 1.0, 0.35), dot(mirrored, l));
}

void main() {
    vec3 n = normalize(normal), v = normalize(-position);
    vec3 local = rest - centre;
    float radius = length(local.xy);
    float angle = atan(local.y, local.x);
    float front = step(0.0, local.z);
    vec3 white = mix(white_of_eye, white_of_eye * vec3(0.92, 0.66, 0.62), smoothstep(0.75, 1.5, radius));
    vec2 spokes = vec2(cos(angle), sin(angle)) * 9.0;
    float fibre = 0.6 * noise(vec3(spokes, radius * 2.0)) + 0.4 * noise(vec3(spokes * 2.7, radius * 6.0));
    vec3 iris = mix(iris_inner, iris_outer, smoothstep(0.26, 0.50, radius));
    iris *= 0.85 + 0.55 * fibre;
    // Light entering from above brightens the far, lower side of the iris.
    iris *= 1.0 + 0.7 * smoothstep(0.25, -0.45, local.y);
    iris = mix(iris, vec3(0.012, 0.014, 0.013), smoothstep(0.47, 0.60, radius));
    iris = mix(iris, vec3(0.004), smoothstep(0.255, 0.225, radius));
    float inside = front * smoothstep(0.635, 0.575, radius);
    float vein = noise(vec3(local.xy * 9.0, 3.0)) * noise(vec3(local.yx * 5.0, 9.0));
    white *= 1.0 - vec3(0.03, 0.09, 0.09) * smoothstep(0.2, 1.2, vein) * smoothstep(0.6, 1.2, radius);
    vec3 albedo = mix(white, iris, inside);

    float lit = mix(shadow(position, n), 1.0, 0.35);
    // The lid shades the ball's upper part; towards the corners the white is duller.
    float lid = smoothstep(0.15, 0.75, local.y) * 0.45 + smoothstep(0.6, 1.4, radius) * 0.25;
    float open = occlusion * (1.0 - lid);
    vec3 bulge = normalize(mix(n, vec3(0.0, 0.0, -1.0), 0.15));
    vec3 colour = albedo * (matt(bulge, lit * mix(0.35, 1.0, open), open) * 0.92);
    // The cornea bulges more than the mesh does.
    vec2 slope = local.xy * 1.3;
    vec3 cornea = mat3(head) * vec3(slope, sqrt(max(1.0 - dot(slope, slope), 0.0)));
    vec3 mirrored = reflect(-v, normalize(mix(n, cornea, inside)));
    float glint = window(mirrored, light_direction[0], 0.955);
    float second = window(mirrored, light_direction[1], 0.975);
    colour += light_colour[0] * glint * 0.7 + light_colour[1] * second * 0.12 * open;
    colour += ambient(mirrored) * 0.035 * open;
    plain(colour, 1.0);
}
