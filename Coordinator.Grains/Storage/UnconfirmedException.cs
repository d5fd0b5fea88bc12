namespace Coordinator.Grains.Storage;

/// <summary>
/// The server said that it did as asked, but with a warning, for instance about a synchronous standby that it no longer
/// waits for: not durable for certain (rule 7).
/// </summary>
public sealed class UnconfirmedException(string warning)
    : Exception($"PostgreSQL answered with a warning, so that the outcome is unknown: {warning}");
