using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>Where an answer comes from.</summary>
/// <param name="Index">The log index that it reflects.</param>
/// <param name="Revision">The group's last change of configuration at that index.</param>
public readonly record struct LogPosition(int Group, long Term, long Index, long Revision)
{
    internal static LogPosition Of(Position? position) => position is null
        ? default
        : new LogPosition(position.Group, position.Term, position.Index, position.Revision);
}
