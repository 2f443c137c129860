#include "evidence.hpp"

#include <doctest/doctest.h>

using namespace nucreg::mosaic;

namespace {

struct Column {
  std::vector<float> x, y;
  std::vector<std::uint8_t> shared, flags;
  std::vector<std::uint32_t> representative;
  Detections detections;

  Column(std::vector<float> xs, std::vector<float> ys)
      : x(std::move(xs)),
        y(std::move(ys)),
        shared(x.size(), 1),
        flags(x.size(), 0),
        representative(x.size(), 0),
        detections{.tile = {0}} {}
  [[nodiscard]] SideView view() const { return {x, y, shared, representative, &detections}; }
};

}  // namespace

TEST_CASE("a pair with a piece is right with the probability of both pieces") {
  Column ten({0.0F, 50.0F}, {0.0F, 0.0F});
  Column forty({-2.0F, 2.1F, 50.1F}, {0.0F, 0.1F, 0.0F});
  Candidates c{{0, 0, 1}, {0, 1, 2}, {4.0F, 4.42F, 0.01F}, {0, 0, 0}, {0.45F, 0.4F, 0.99F}};
  join_pieces(c, ten.view(), forty.view(), 0.3, ten.flags, forty.flags);
  CHECK(c.probability == std::vector<float>{0.85F, 0.85F, 0.99F});
  CHECK(ten.flags == std::vector<std::uint8_t>{merged_flag, 0});
  CHECK(forty.flags == std::vector<std::uint8_t>{split_flag, split_flag, 0});
}

TEST_CASE("two candidates to one side of an object are not its pieces") {
  Column ten({0.0F}, {0.0F});
  Column forty({2.0F, 2.5F}, {0.0F, 2.0F});
  Candidates c{{0, 0}, {0, 1}, {4.0F, 10.25F}, {0, 0}, {0.5F, 0.4F}};
  join_pieces(c, ten.view(), forty.view(), 0.3, ten.flags, forty.flags);
  CHECK(c.probability == std::vector<float>{0.5F, 0.4F});
  CHECK(ten.flags[0] == 0);
}

TEST_CASE("pieces on the 10x side are found as well") {
  Column ten({-3.0F, 3.0F}, {0.0F, 0.0F});
  Column forty({0.0F}, {0.0F});
  Candidates c{{0, 1}, {0, 0}, {9.0F, 9.0F}, {0, 0}, {0.3F, 0.3F}};
  join_pieces(c, ten.view(), forty.view(), 0.3, ten.flags, forty.flags);
  CHECK(c.probability == std::vector<float>{0.6F, 0.6F});
  CHECK(forty.flags[0] == merged_flag);
}

TEST_CASE("of two pairs between pieces of one nucleus the less probable is second") {
  // Both sides split the nucleus, along different lines.
  Column ten({-1.5F, 1.5F}, {0.0F, 0.0F});
  Column forty({-1.0F, 1.0F}, {1.2F, -1.2F});
  const std::vector<std::uint8_t> flags(2, split_flag);
  const std::vector<ObjectPair> pairs{{0, 0, 0.6F}, {1, 1, 0.7F}};
  CHECK(second_pieces(pairs, ten.view(), forty.view(), flags, flags, 10.0, 0.3) ==
        std::vector<std::uint8_t>{1, 0});
  // Two nuclei lie to each other as they do at the other visit.
  Column same({-1.4F, 1.6F}, {0.1F, 0.0F});
  CHECK(second_pieces(pairs, ten.view(), same.view(), flags, flags, 10.0, 0.3) ==
        std::vector<std::uint8_t>{0, 0});
  // Objects that are not flagged must lie off by more to be pieces.
  Column nearly({-1.3F, 1.3F}, {0.75F, -0.75F});
  CHECK(second_pieces(pairs, ten.view(), nearly.view(), flags, flags, 10.0, 0.3) ==
        std::vector<std::uint8_t>{1, 0});
  const std::vector<std::uint8_t> plain(2, 0);
  CHECK(second_pieces(pairs, ten.view(), nearly.view(), plain, plain, 10.0, 0.3) ==
        std::vector<std::uint8_t>{0, 0});
}

TEST_CASE(
    "pieces that lie as far apart as nuclei are told by pairs that are off to opposite sides") {
  Column ten({-2.5F, 2.5F}, {0.0F, 0.0F});
  Column forty({-2.2F, 2.3F}, {2.0F, -2.0F});
  const std::vector<std::uint8_t> plain(2, 0), merged{0, merged_flag};
  const std::vector<ObjectPair> pairs{{0, 0, 0.9F}, {1, 1, 0.8F}};
  CHECK(second_pieces(pairs, ten.view(), forty.view(), plain, plain, 10.0, 0.3) ==
        std::vector<std::uint8_t>{0, 1});
  // One side alone shows a nucleus in pieces.
  CHECK(second_pieces(pairs, ten.view(), forty.view(), plain, merged, 10.0, 0.3) ==
        std::vector<std::uint8_t>{0, 0});
  Column beside({-2.2F, 2.5F}, {2.0F, 0.1F});
  CHECK(second_pieces(pairs, ten.view(), beside.view(), plain, plain, 10.0, 0.3) ==
        std::vector<std::uint8_t>{0, 0});
}

TEST_CASE("pairs that are off by little against the distance of nuclei are no pieces") {
  Column ten({-4.0F, 4.0F}, {0.0F, 0.0F});
  Column forty({-3.8F, 3.8F}, {0.2F, -0.2F});
  const std::vector<std::uint8_t> plain(2, 0);
  const std::vector<ObjectPair> pairs{{0, 0, 0.8F}, {1, 1, 0.9F}};
  CHECK(second_pieces(pairs, ten.view(), forty.view(), plain, plain, 10.0, 0.03) ==
        std::vector<std::uint8_t>{0, 0});
}

TEST_CASE("a pair whose ends lie on each other joins no piece") {
  // Nuclei that touch, the border between them drawn differently at 40x.
  Column ten({-1.0F, 1.0F}, {0.0F, 0.0F});
  Column forty({-1.0F, 3.0F}, {0.1F, 1.0F});
  const std::vector<std::uint8_t> plain(2, 0), split(2, split_flag);
  const std::vector<ObjectPair> pairs{{0, 0, 0.8F}, {1, 1, 0.9F}};
  CHECK(second_pieces(pairs, ten.view(), forty.view(), split, plain, 10.0, 0.3) ==
        std::vector<std::uint8_t>{0, 0});
}

TEST_CASE("two nuclei that one side shows as one are named as the reason") {
  // The first is paired with one of its two, the second with none, the third is a nucleus that the
  // other side lacks, beside one that is paired.
  Column ten({0.0F, 50.0F, 100.0F, 104.0F}, {0.0F, 0.0F, 0.0F, 0.0F});
  Column forty({-2.0F, 2.1F, 46.5F, 53.4F, 104.1F}, {0.0F, 0.1F, 0.0F, 0.1F, 0.0F});
  const std::vector<ObjectPair> pairs{{0, 0, 0.8F}, {3, 4, 0.99F}};
  MergedNuclei found =
      find_merged(pairs, ten.view(), forty.view(), 10.0, 0.3, 0.0, ten.flags, forty.flags);
  CHECK(found.forty == std::vector<std::uint8_t>{0, 1, 1, 1, 0});
  CHECK(found.ten == std::vector<std::uint8_t>{0, 1, 0, 0});
  CHECK(ten.flags == std::vector<std::uint8_t>{merged_flag, merged_flag, 0, 0});
  CHECK(forty.flags == std::vector<std::uint8_t>(5, 0));
  // The same with the sides exchanged.
  const std::vector<ObjectPair> back{{0, 0, 0.8F}, {4, 3, 0.99F}};
  found = find_merged(back, forty.view(), ten.view(), 10.0, 0.3, 0.0, forty.flags, ten.flags);
  CHECK(found.ten == std::vector<std::uint8_t>{0, 1, 1, 1, 0});
  CHECK(found.forty == std::vector<std::uint8_t>{0, 1, 0, 0});
}

TEST_CASE("areas tell where between two nuclei the one lies that shows both") {
  Column ten({0.0F}, {0.0F});
  Column forty({-2.0F, 4.0F}, {0.0F, 0.0F});
  forty.representative = {0, 1};
  forty.detections = {.tile = {0, 0}, .area_um2 = {80.0F, 40.0F}};
  const auto marks = [&](float ten_area, double ratio) {
    ten.detections = {.tile = {0}, .area_um2 = {ten_area}};
    return find_merged({}, ten.view(), forty.view(), 10.0, 0.3, ratio, ten.flags, forty.flags)
        .forty;
  };
  const std::vector<std::uint8_t> both{1, 1}, none{0, 0};
  CHECK(marks(120.0F, 1.0) == both);
  CHECK(marks(240.0F, 2.0) == both);
  CHECK(marks(70.0F, 1.0) == none);   // as large as one of them
  CHECK(marks(120.0F, 0.0) == none);  // not in the middle
}
