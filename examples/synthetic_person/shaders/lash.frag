in vec3 position;
in vec3 normal;
in vec3 rest;
in vec3 uv;
in float occlusion;

void main() {
    pixel = vec4(vec3(0.012, 0.009, 0.007), 1.0);
}
