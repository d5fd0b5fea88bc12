using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>Why a request is refused: a stable code and words for a person.</summary>
internal sealed record Refusal(ErrorCode Code, string Message);
