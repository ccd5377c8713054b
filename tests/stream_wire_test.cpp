#include "common/codec/codec.h"
#include "common/stream/canvas.h"
#include "common/stream/messages.h"
#include "common/stream/operations.h"
#include "common/stream/update.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

// Golden bytes of latentdesk.2, and what a hostile server might send instead.

namespace latentdesk {
namespace {

using Bytes = std::vector<uint8_t>;
using Kind = Operation::Kind;

constexpr Size kScreen{200, 150};  // 4 x 3 tiles, those at the right 8 pixels wide
const TileGrid kGrid(kScreen);

Bytes written(std::span<const Operation> operations) {
  Bytes bytes;
  append_operations(operations, bytes);
  return bytes;
}

std::vector<Operation> parsed(const Bytes& bytes) {
  std::vector<Operation> operations;
  parse_operations(bytes, kGrid, 10, operations);
  return operations;
}

const std::vector<Operation> kOperations = {
    {.kind = Kind::store, .tile = 5, .slot = 7},
    {.kind = Kind::copy, .to = {8, 16, 128, 64}, .dx = -3, .dy = 13},
    {.kind = Kind::recall, .tile = 4, .mask = block_rect(1, 2, 4, 8), .slot = 9},
    {.kind = Kind::solid, .tile = 4},
    {.kind = Kind::palette, .tile = 6, .mask = 0x8000000000000001, .colours = 256},
    {.kind = Kind::pixels, .tile = 6, .mask = block_rect(0, 0, 1, 1), .error = 2},
    {.kind = Kind::latents, .tile = 11},
};

const Bytes kGolden = {
    0x00, 0x0a, 0x07,                              // store: whole, tile +5, slot 7
    0x01, 8,    16,   0x80, 1,    64, 0x05, 0x1a,  // copy: x, y, width 128, height, dx -3, dy 13
    0x0a, 0x01, 0x91, 0x0a, 0x09,                  // recall: rectangle, tile -1, x1 y2 w3 h6, slot 9
    0x03, 0x00,                                    // solid: whole, tile +0
    0x14, 0x04, 1,    0,    0,    0,  0,    0,     // palette: mask of 64 bits, tile +2, ...
    0,    0x80, 255,                               // ..., 256 colours
    0x0d, 0x00, 0x00, 0x00, 0x02,                  // pixels: rectangle of one block, error 2
    0x06, 0x0a,                                    // latents: whole, tile +5
};

TEST(StreamWire, OperationsAreGoldenBytes) {
  EXPECT_EQ(written(kOperations), kGolden);
  EXPECT_EQ(parsed(kGolden), kOperations);
}

TEST(StreamWire, EveryTruncationIsRefused) {
  for (size_t length = 1; length < kGolden.size(); ++length) {
    const Bytes part(kGolden.begin(), kGolden.begin() + static_cast<long>(length));
    try {
      EXPECT_LT(parsed(part).size(), kOperations.size());  // it was cut between two operations
    } catch (const ProtocolError&) {
    }
  }
}

TEST(StreamWire, OperationsThatLeaveTheirBoundsAreRefused) {
  const std::vector<std::pair<const char*, Bytes>> cases = {
      {"unknown kind", {0x07, 0}},
      {"unknown mask form", {0x1b, 0}},
      {"reserved bits", {0x23, 0}},
      {"a store with a mask", {0x08, 0, 0, 0, 0}},
      {"no such tile", {0x03, 24}},
      {"a tile before the first", {0x03, 1}},
      {"no such slot", {0x00, 0, 10}},
      {"an endless number", {0x03, 0xff, 0xff, 0xff, 0xff, 0xff, 1}},
      {"a mask that leaves its tile", {0x0b, 0, 0xc7, 0x01}},
      {"reserved bits of a rectangle", {0x0b, 0, 0x00, 0x10}},
      {"a copy beyond the right border", {0x01, 0xc0, 1, 0, 16, 8, 0, 0}},
      {"a copy from beyond the left border", {0x01, 0, 0, 8, 8, 1, 0}},
      {"an empty copy", {0x01, 0, 0, 0, 8, 0, 0}},
      {"a copy of gigantic width", {0x01, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 8, 0, 0}},
      {"a copy after content", {0x03, 0, 0x01, 0, 0, 8, 8, 2, 0}},
      {"a store after a recall", {0x02, 0, 0, 0x00, 0, 0}},
      {"too large an error", {0x05, 0, 64}},
  };
  for (const auto& [name, bytes] : cases) EXPECT_THROW(parsed(bytes), ProtocolError) << name;
}

/// One that has just begun, without a decoder.
struct NewCanvas : Canvas {
  NewCanvas() : Canvas(nullptr, 96, 10) { reset(kScreen); }
};

/// Packs and applies, as a server and a viewer would.
void apply(Canvas& canvas, const UpdateParts& parts, uint64_t number = 1) {
  UpdatePacker packer;
  UpdateHeader header{.number = number, .time_ms = 0, .scale = 1, .sizes = {}, .packed = {}};
  Bytes payload;
  packer.pack(parts, header, payload);
  const std::string prefix = serialize_update_prefix(header);
  const Bytes message(prefix.begin(), prefix.end());
  canvas.apply(parse_update_header(split_message(message).header), payload);
}

UpdateParts parts_of(const std::vector<Operation>& operations) {
  UpdateParts parts;
  append_operations(operations, parts.operations);
  return parts;
}

TEST(StreamWire, ContentThatDoesNotFitItsOperationsIsRefused) {
  const auto refused = [](UpdateParts parts) {
    NewCanvas canvas;
    EXPECT_THROW(apply(canvas, parts), ProtocolError);
  };
  UpdateParts parts = parts_of({{.kind = Kind::solid, .tile = 0}});
  refused(parts);  // no colour
  parts.colours = {1, 2, 3, 4};
  refused(parts);  // one byte too many
  parts = parts_of({{.kind = Kind::palette, .tile = 0, .colours = 3}});
  parts.colours = {0, 0, 0, 1, 1, 1, 2, 2, 2};
  refused(parts);  // no indices
  parts.indices.assign(1024, 0xff);
  refused(parts);  // index 3 of three colours
  parts = parts_of({{.kind = Kind::pixels, .tile = 0}});
  for (auto& plane : parts.residuals) plane.assign(4096 - 8, 0);
  parts.pixel_areas = {{{64, 63}, kWholeTile}, {{56, 1}, kWholeTile}};
  refused(parts);  // one pixel short
  parts = parts_of({{.kind = Kind::latents, .tile = 0}});
  parts.latents.assign(64 * 95, 0);
  parts.latent_channels = 95;
  refused(parts);                                                     // a channel short
  refused(parts_of({{.kind = Kind::recall, .tile = 0, .slot = 3}}));  // nothing was stored there
  const Operation whole{.kind = Kind::copy, .to = {0, 0, 200, 150}};
  refused(parts_of({whole, whole}));  // more than the screen
}

TEST(StreamWire, HeadersThatLieAreRefused) {
  const auto refused = [](const std::string& text, size_t payload = 20) {
    EXPECT_THROW(
        {
          const UpdateHeader header = parse_update_header(text);
          check_part_sizes(header, kGrid, 96, payload);
        },
        ProtocolError)
        << text;
  };
  refused(R"({"number":1,"time":0,"sizes":[1,2,3,4,5,6],"packed":[20]})");
  refused(R"({"number":1,"time":0,"sizes":[10],"packed":[]})");
  refused(R"({"number":1,"time":0,"sizes":[10,10],"packed":[5,5,10]})");
  refused(R"({"number":1,"time":0,"sizes":[10],"packed":[19]})");
  refused(R"({"number":1,"time":0,"sizes":[-1],"packed":[20]})");
  refused(R"({"number":1,"time":0,"sizes":[18446744073709551615],"packed":[20]})");
  refused(R"({"number":1,"time":0,"sizes":[10,10],"packed":[18446744073709551615,21]})");
  refused(R"({"number":1,"time":0,"sizes":[0,0,0,0,64],"packed":[20]})");
  refused(R"({"number":1,"time":0,"sizes":[0,0,0,0,64],"packed":[20],"scale":0})");
  refused(R"({"number":1,"time":0,"sizes":[10,0,0,0,6144],"packed":[20],"scale":1})");  // nothing for latents
  refused(R"({"number":1,"time":0,"sizes":[10,0,0,0,6144],"packed":[5,5,10],"scale":1})");
  refused(
      R"({"number":1,"time":0,"sizes":[10,0,0,0,6143],"packed":[10,10],"scale":1})");  // not of whole tiles
  refused(R"({"number":1,"time":0,"sizes":[0,0,0,10],"packed":[20]})");
  refused(R"({"number":1,"time":0,"sizes":[0,0,49152],"packed":[20]})");  // a bomb
  refused(R"({"number":-1,"time":0,"sizes":[],"packed":[]})", 0);
  refused(R"({"number":1,"time":1e300,"sizes":[],"packed":[]})", 0);
  refused(R"({"time":0,"sizes":[],"packed":[]})", 0);
}

TEST(StreamWire, NumbersNeverGoBack) {
  NewCanvas canvas;
  apply(canvas, {}, 5);
  apply(canvas, {}, 5);
  EXPECT_THROW(apply(canvas, {}, 4), ProtocolError);
}

TEST(StreamWire, CopiesReadThePictureAsItWas) {
  NewCanvas canvas;
  UpdateParts parts = parts_of({{.kind = Kind::solid, .tile = 0}, {.kind = Kind::solid, .tile = 1}});
  parts.colours = {1, 1, 1, 2, 2, 2};
  apply(canvas, parts, 1);
  // Two tiles change places.
  apply(canvas,
        parts_of({{.kind = Kind::copy, .to = {0, 0, 64, 64}, .dx = 64},
                  {.kind = Kind::copy, .to = {64, 0, 64, 64}, .dx = -64}}),
        2);
  EXPECT_EQ(canvas.picture().view().row(10)[10 * 4], 2);
  EXPECT_EQ(canvas.picture().view().row(10)[70 * 4], 1);
}

ByteView bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

TEST(StreamMessages, ComeBackAsTheyWere) {
  const std::vector<ViewerMessage> from_viewer = {
      ViewerHello{"secret", 1 << 20},
      ViewerHello{.token = {}, .view_only = true, .resume = Resumption{"abc", 12}},
      ViewerHello{},
      Ack{7},
      Ping{12.5},
      Pong{1, 2, 3},
      QualityWish{40},
      Refresh{},
      Input{{KeyInput{0x01000431, true}, MoveInput{16383, 0}, ButtonInput{9, false}, ScrollInput{-1, 100},
             TextInput{"안녕"}, ReleaseInput{}}},
      ControlWish{true},
      ControlWish{false},
      SizeWish{{1920, 1080}},
      Clipboard{"Grüße\n"},
      Clipboard{}};
  for (const ViewerMessage& message : from_viewer) {
    const std::string bytes = serialize(message);
    EXPECT_EQ(parse_viewer_message(bytes_of(bytes), false), message) << bytes;
  }
  const std::vector<ServerMessage> from_server = {
      ServerHello{"lite-1.ab", "cpu (AVX-512)", 5.5, 4096},
      ServerHello{"lite-1.ab", "cpu", 5.5, 0, "0123456789abcdef", true, true, true},
      Resize{{1280, 720}},
      UpdateAhead{},
      Ping{1},
      Pong{1, 2, 3},
      Notice{"text"},
      Bye{"why"},
      Control{ControlState::none},
      Control{ControlState::yours},
      CursorShape{{2, 1}, 1, 0, {1, 2, 3, 4, 5, 6, 7, 8}},
      CursorShape{},
      PointerPosition{3, 4},
      Clipboard{"¿qué?"}};
  for (const ServerMessage& message : from_server) {
    const std::string bytes = serialize(message);
    EXPECT_EQ(parse_server_message(split_message(bytes_of(bytes))), message) << bytes;
  }
}

TEST(StreamMessages, MayBeText) {
  const std::string text = R"({"type":"input","events":[["key",65,1],["move",1,2.0]]})";
  EXPECT_EQ(parse_viewer_message(bytes_of(text), true),
            ViewerMessage(Input{{KeyInput{65, true}, MoveInput{1, 2}}}));
}

TEST(StreamMessages, BadOnesOfViewersAreRefused) {
  for (const std::string text : {R"({"type":"dance"})",
                                 R"({"type":1})",
                                 R"({})",
                                 R"({"type":"ack"})",
                                 R"({"type":"ack","updates":-1})",
                                 R"({"type":"quality","value":0})",
                                 R"({"type":"quality","value":101})",
                                 R"({"type":"ping","time":"x"})",
                                 R"({"type":"hello","token":5})",
                                 R"({"type":"hello","cache":1.5})",
                                 R"({"type":"hello","view_only":1})",
                                 R"({"type":"hello","resume":[]})",
                                 R"({"type":"hello","resume":{"session":"a"}})",
                                 R"({"type":"control"})",
                                 R"({"type":"size","width":0,"height":10})",
                                 R"({"type":"size","width":16384,"height":16384})",
                                 R"({"type":"input"})",
                                 R"({"type":"input","events":{}})",
                                 R"([])",
                                 "nonsense"}) {
    EXPECT_THROW(parse_viewer_message(bytes_of(text), true), ProtocolError) << text;
  }
  for (const char* event : {R"("key")",
                            R"([])",
                            R"([1])",
                            R"(["jump"])",
                            R"(["key"])",
                            R"(["key",65])",
                            R"(["key",0,1])",
                            R"(["key",536870912,1])",
                            R"(["key",65,2])",
                            R"(["key",65,true])",
                            R"(["key","a",1])",
                            R"(["move",-1,0])",
                            R"(["move",0,16384])",
                            R"(["move",0.5,0])",
                            R"(["move",1e300,0])",
                            R"(["button",0,1])",
                            R"(["button",10,1])",
                            R"(["scroll",101,0])",
                            R"(["scroll",0])",
                            R"(["text",1])"}) {
    const std::string text = R"({"type":"input","events":[)" + std::string(event) + "]}";
    EXPECT_THROW(parse_viewer_message(bytes_of(text), true), ProtocolError) << text;
  }
}

TEST(StreamMessages, LongInputIsRefused) {
  const Input most{std::vector<InputEvent>(kMaxInputEvents, ReleaseInput{})};
  EXPECT_NO_THROW(parse_viewer_message(bytes_of(serialize(most)), false));
  const Input more{std::vector<InputEvent>(kMaxInputEvents + 1, ReleaseInput{})};
  EXPECT_THROW(parse_viewer_message(bytes_of(serialize(more)), false), ProtocolError);
  const Input text{{TextInput{std::string(kMaxInputTextBytes + 1, 'x')}}};
  EXPECT_THROW(parse_viewer_message(bytes_of(serialize(text)), false), ProtocolError);
  EXPECT_THROW(
      parse_viewer_message(
          bytes_of(serialize(ViewerMessage(Clipboard{std::string(kMaxClipboardBytes + 1, 'x')}))), false),
      ProtocolError);
  EXPECT_THROW(parse_viewer_message(bytes_of(serialize(ViewerMessage(Clipboard{"\xc0\x80"}))), false),
               ProtocolError);
}

TEST(StreamMessages, BadOnesOfServersAreRefused) {
  for (const char* header :
       {R"({"type":"resize","width":16384,"height":16384})", R"({"type":"resize","width":0,"height":1})",
        R"({"type":"hello","model_ver":"m","device":"d","time":0,"slots":65537})", R"({"type":"input"})",
        R"({"type":"control"})", R"({"type":"control","state":"mine"})", R"({"type":"pointer","x":-1,"y":0})",
        R"({"type":"cursor","width":257,"height":1,"x":0,"y":0})",
        R"({"type":"cursor","width":0,"height":1,"x":0,"y":0})",
        R"({"type":"cursor","width":1,"height":1,"x":1,"y":0})",
        R"({"type":"cursor","width":1,"height":1,"x":0,"y":0})"}) {
    EXPECT_THROW(parse_server_message({header, {}}), ProtocolError) << header;
  }
  const std::string cursor = serialize(CursorShape{{1, 1}, 0, 0, {1, 2, 3, 4}});
  const MessageView parts = split_message(bytes_of(cursor));
  EXPECT_THROW(parse_server_message({parts.header, parts.payload.first(parts.payload.size() - 1)}),
               ProtocolError);
}

}  // namespace
}  // namespace latentdesk
