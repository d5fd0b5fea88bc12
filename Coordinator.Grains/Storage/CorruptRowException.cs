namespace Coordinator.Grains.Storage;

/// <summary>A row that fails its checksum, is absent from a sequence, or contradicts another.</summary>
public sealed class CorruptRowException(string row)
    : DatabaseRefusedException($"Stored data is damaged: {row}. Restore it from a backup or replace the peer.")
{
    /// <summary>Table, key and index, and what is wrong with it.</summary>
    public string Row { get; } = row;
}
