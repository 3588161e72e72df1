in vec3 rest;
layout(location = 0) out vec4 pixel;

void main() {
    pixel = vec4(rest, 1.0);
}
