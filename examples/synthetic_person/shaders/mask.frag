// The most frequent class among the samples of one mask cell.
uniform sampler2D scene;
uniform int cell;
layout(location = 0) out float label;

void main() {
    ivec2 corner = ivec2(gl_FragCoord.xy) * cell;
    ivec3 votes = ivec3(0);
    for (int i = 0; i < cell * cell; i++) {
        float kind = texelFetch(scene, corner + ivec2(i % cell, i / cell), 0).a;
        votes[int(kind + 0.5)]++;
    }
    float winner = votes.y >= votes.x && votes.y >= votes.z ? 1.0 : (votes.z > votes.x ? 2.0 : 0.0);
    label = winner / 255.0;
}
