// Lays the mesh out in texture space.
in vec3 in_rest;
in vec2 in_uv;
out vec3 rest;

void main() {
    rest = in_rest;
    gl_Position = vec4(in_uv * 2.0 - 1.0, 0.0, 1.0);
}
