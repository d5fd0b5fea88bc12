namespace Coordinator.Client;

/// <summary>One line of what happened to the client's connection or session.</summary>
/// <param name="IsWarning">Something that costs time or a lock; otherwise news.</param>
public readonly record struct ClientLogEvent(string Message, bool IsWarning);
