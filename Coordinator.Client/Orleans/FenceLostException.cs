namespace Coordinator.Client.Orleans;

/// <summary>An activation of a <see cref="FencedGrain"/> is no longer the only one; a call made again finds the next.</summary>
public sealed class FenceLostException(string message) : Exception(message);
