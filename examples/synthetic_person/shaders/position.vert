// Lays the mesh out in texture space.
in vec3 in_rest;
in vec3 in_uv;
out vec3 rest;
uniform float tile;

void main() {
    rest = in_rest;
    gl_Position = vec4(in_uv.xy * 2.0 - 1.0, 0.0, in_uv.z == tile ? 1.0 : -1.0);
}
