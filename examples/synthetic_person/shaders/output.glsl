layout(location = 0) out vec4 pixel;    // linear colour, class (0 background, 1 head, 2 torso)
layout(location = 1) out vec4 inflow;   // light that enters the skin, 1 where there is skin
layout(location = 2) out vec4 tone;     // colour by which that light comes out again

void plain(vec3 colour, float kind) {
    pixel = vec4(colour, kind);
    inflow = vec4(0.0);
    tone = vec4(0.0);
}
