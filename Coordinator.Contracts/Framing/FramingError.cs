namespace Coordinator.Contracts.Framing;

/// <summary>
/// Why received bytes are not frames. The connection can't be read any further: what follows has no known start.
/// </summary>
public sealed record FramingError(ErrorCode Code, string Message);
