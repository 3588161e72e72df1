in vec3 light;
layout(location = 0) out vec4 pixel;  // linear colour, class (1 head)

void main() {
    pixel = vec4(light, 1.0);
}
