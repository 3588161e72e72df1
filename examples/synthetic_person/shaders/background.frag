in vec2 place;
uniform sampler2D backdrop;

void main() {
    plain(texture(backdrop, place).rgb, 0.0);
}
