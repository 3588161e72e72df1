// The studio: three soft lights, a hemisphere of ambient light and the key light's shadow. Camera space, y down.
const float PI = 3.14159265;
uniform vec3 light_direction[3];    // towards key, fill and rim light
uniform vec3 light_colour[3];
uniform vec3 ambient_above, ambient_below;
uniform mat4 shadow_clip;
uniform sampler2DShadow shadow_map;
uniform float softness;     // radius of the key light's penumbra, in cm

// Share of the key light that arrives: a disc of samples on the shadow map, the same for every pixel.
float shadow(vec3 where, vec3 n) {
    vec3 place = (shadow_clip * vec4(where + n * 0.14, 1.0)).xyz * 0.5 + 0.5;
    float lit = 0.0;
    for (int i = 0; i < 40; i++) {
        float radius = sqrt((float(i) + 0.5) / 40.0), angle = 2.39996 * float(i);
        vec2 away = radius * softness / 48.0 * vec2(cos(angle), sin(angle));
        lit += texture(shadow_map, vec3(place.xy + away, place.z - 0.004 - 0.006 * radius * softness));
    }
    return lit / 40.0;
}

// One sample only: enough for hair, whose strands blur the shadow's edge by themselves.
float quick_shadow(vec3 where, vec3 n) {
    vec3 place = (shadow_clip * vec4(where + n * 0.12, 1.0)).xyz * 0.5 + 0.5;
    return texture(shadow_map, vec3(place.xy, place.z - 0.0035));
}

vec3 ambient(vec3 n) {
    return mix(ambient_below, ambient_above, 0.5 - 0.5 * n.y);
}

float ggx(float ndh, float roughness) {
    float a = roughness * roughness;
    float d = ndh * ndh * (a * a - 1.0) + 1.0;
    return a * a / (PI * d * d);
}

// Specular reflection of one light, the light's size being part of the roughness.
float gloss(vec3 n, vec3 v, vec3 l, float roughness, float f0) {
    vec3 h = normalize(v + l);
    float ndl = max(dot(n, l), 0.0), ndv = max(dot(n, v), 0.05);
    float fresnel = f0 + (1.0 - f0) * pow(1.0 - max(dot(h, v), 0.0), 5.0);
    return ggx(max(dot(n, h), 0.0), roughness) * fresnel * ndl / (4.0 * max(ndl, 0.1) * ndv + 0.05);
}

// Plain diffuse light of a matt surface.
vec3 matt(vec3 n, float lit, float open) {
    vec3 sum = ambient(n) * open;
    for (int i = 0; i < 3; i++) {
        float visible = i == 0 ? lit : mix(open, 1.0, 0.5);
        sum += light_colour[i] * max(dot(n, light_direction[i]) * 0.85 + 0.15, 0.0) * visible;
    }
    return sum;
}
