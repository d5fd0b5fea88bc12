namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// A configuration key. <see cref="Revision"/> is that of its last change, a delete included; after a change whose
/// outcome nobody heard it is the least that it can be, until an answer tells. Invariant: absent exactly if
/// <see cref="Version"/> is 0.
/// </summary>
internal readonly record struct ConfigState(string? Value, long Version, long Revision, bool RevisionIsKnown)
{
    public bool MayHaveRevision(long revision) => RevisionIsKnown ? revision == Revision : revision >= Revision;

    /// <summary>The key after a put, whose revision is null if nobody heard it.</summary>
    public ConfigState Put(string value, long? revision) =>
        new(value, Version + 1, revision ?? Revision + 1, revision is not null);

    /// <summary>The absent key after a delete. A key that is created again starts at version 1.</summary>
    public ConfigState Delete(long? revision) => new(null, 0, revision ?? Revision + 1, revision is not null);

    public override string ToString() => Value is null
        ? "absent"
        : $"\"{Value}\" version {Version} revision {(RevisionIsKnown ? "" : "≥ ")}{Revision}";
}
