in vec3 light;

void main() {
    plain(light, 1.0);
}
