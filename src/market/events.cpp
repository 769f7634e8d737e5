// SPDX-License-Identifier: Apache-2.0
#include "market/events.hpp"

#include "market/fields.hpp"

namespace avow::market {
namespace {

using chain::Cause;

template <typename T>
T read_event(FieldReader& fields);

template <>
Requested read_event(FieldReader& fields) {
  Requested event;
  event.id = fields.digest();
  (void)fields.address();
  (void)fields.digest();
  return event;
}
template <>
Locked read_event(FieldReader& fields) {
  return {fields.digest(), fields.address(), fields.number(), fields.small<std::uint64_t>()};
}
template <>
Cancelling read_event(FieldReader& fields) {
  return {fields.digest(), fields.small<std::uint64_t>()};
}
template <>
Fulfilled read_event(FieldReader& fields) {
  return {fields.digest(), fields.address(), fields.number(), fields.number(), fields.small<std::uint8_t>(),
          fields.bytes()};
}
template <>
ItemSkipped read_event(FieldReader& fields) {
  return {fields.digest(), Reason{fields.small<std::uint8_t>()}};
}
template <>
Refunded read_event(FieldReader& fields) {
  return {fields.digest(), fields.address(), fields.number(), Status{fields.small<std::uint8_t>()}};
}
template <>
BondReturned read_event(FieldReader& fields) {
  return {fields.digest(), fields.address(), fields.number()};
}
template <>
BondSlashed read_event(FieldReader& fields) {
  return {fields.digest(), fields.address(), fields.number(), fields.number()};
}
template <>
Frozen read_event(FieldReader& fields) {
  Frozen event{fields.address(), fields.digest()};
  for (int i = 0; i < 3; ++i) (void)fields.digest();
  return event;
}

base::Err<chain::Error> malformed(const std::string& what) {
  return chain::fail(Cause::kReply, "the node sends an event " + what + " that the market does not have");
}

bool is_known(const ItemSkipped& event) { return event.reason <= Reason::kRepeated; }
bool is_known(const Refunded& event) { return event.before <= Status::kRefunded; }
template <typename T>
bool is_known(const T&) {
  return true;
}

template <typename T>
chain::Result<std::optional<Event>> event_in(const chain::Decoded& decoded) {
  FieldReader fields(decoded.values);
  T event = read_event<T>(fields);
  if (!fields.is_done() || !is_known(event)) return malformed(decoded.name);
  return std::optional<Event>(std::move(event));
}

chain::Result<std::optional<Event>> requested_in(const chain::Decoded& decoded) {
  FieldReader fields(decoded.values);
  auto event = read_event<Requested>(fields);
  const chain::Value* value = decoded.value("request");
  if (value == nullptr) return malformed(decoded.name);
  auto request = request_of(*value);
  if (!request) return base::Err{request.error()};
  event.request = std::move(request).value();
  return std::optional<Event>(std::move(event));
}

}  // namespace

const char* name(Status status) noexcept {
  switch (status) {
    case Status::kUnknown:
      return "unknown";
    case Status::kOpen:
      return "open";
    case Status::kLocked:
      return "locked";
    case Status::kCancelling:
      return "cancelling";
    case Status::kFulfilled:
      return "fulfilled";
    case Status::kRefunded:
      return "refunded";
  }
  return "?";
}

const char* name(Reason reason) noexcept {
  switch (reason) {
    case Reason::kNone:
      return "none";
    case Reason::kOtherModel:
      return "other model";
    case Reason::kOtherVerifier:
      return "other verifier";
    case Reason::kUnknown:
      return "unknown";
    case Reason::kFulfilled:
      return "fulfilled";
    case Reason::kRefunded:
      return "refunded";
    case Reason::kExpired:
      return "expired";
    case Reason::kCancelled:
      return "cancelled";
    case Reason::kLockedByAnother:
      return "locked by another";
    case Reason::kRepeated:
      return "repeated";
  }
  return "?";
}

chain::LogFilter events_of(const Deployment& deployment) { return {{deployment.at(Contract::kMarket)}, {}}; }

chain::LogFilter events_about(const Deployment& deployment, const base::Digest& id) {
  return {{deployment.at(Contract::kMarket)}, {std::nullopt, id}};
}

chain::Result<std::optional<Event>> event_of(const chain::Log& log) {
  const auto decoded = interface_of(Contract::kMarket).decode_log(log.body);
  if (!decoded) return base::Err{decoded.error()};
  const std::string& which = decoded.value().name;
  if (which == "Requested") return requested_in(decoded.value());
  if (which == "Locked") return event_in<Locked>(decoded.value());
  if (which == "Cancelling") return event_in<Cancelling>(decoded.value());
  if (which == "Fulfilled") return event_in<Fulfilled>(decoded.value());
  if (which == "ItemSkipped") return event_in<ItemSkipped>(decoded.value());
  if (which == "Refunded") return event_in<Refunded>(decoded.value());
  if (which == "BondReturned") return event_in<BondReturned>(decoded.value());
  if (which == "BondSlashed") return event_in<BondSlashed>(decoded.value());
  if (which == "Frozen") return event_in<Frozen>(decoded.value());
  return std::optional<Event>();
}

const base::Digest* request_id(const Event& event) {
  return std::visit(
      [](const auto& one) -> const base::Digest* {
        if constexpr (requires { one.id; }) {
          return &one.id;
        } else {
          return nullptr;
        }
      },
      event);
}

}  // namespace avow::market
