using System.Numerics;

namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// Which operations of a partition have been given a place. Invariant: all words of the known part below
/// <c>firstOpen</c> are full, all from <c>end</c> on are empty, so that a fingerprint holds only what lies between:
/// as wide as the clients are many, however long the history is.
/// </summary>
internal sealed class LinearizedSet
{
    private readonly ulong[] known;
    private readonly ulong[] unknown;
    private int firstOpen;
    private int end;

    public LinearizedSet(int knownCount, int unknownCount)
    {
        known = new ulong[(knownCount + 63) / 64];
        unknown = new ulong[(unknownCount + 63) / 64];
    }

    public bool ContainsUnknown(int index) => (unknown[index / 64] & Bit(index)) != 0;

    public void Add(Candidate candidate)
    {
        int word = candidate.Index / 64;
        if (candidate.OutcomeIsUnknown)
        {
            unknown[word] |= Bit(candidate.Index);
            return;
        }
        known[word] |= Bit(candidate.Index);
        end = Math.Max(end, word + 1);
        while (firstOpen < end && known[firstOpen] == ulong.MaxValue)
            firstOpen++;
    }

    public void Remove(Candidate candidate)
    {
        int word = candidate.Index / 64;
        if (candidate.OutcomeIsUnknown)
        {
            unknown[word] &= ~Bit(candidate.Index);
            return;
        }
        known[word] &= ~Bit(candidate.Index);
        firstOpen = Math.Min(firstOpen, word);
        while (end > 0 && known[end - 1] == 0)
            end--;
    }

    public Fingerprint ToFingerprint()
    {
        int window = Math.Max(end - firstOpen, 0);
        ulong[] words = new ulong[1 + window + unknown.Length];
        // The first word keeps apart sets whose windows differ only in where they begin. How wide they are follows
        // from the array's length.
        words[0] = (ulong)firstOpen;
        known.AsSpan(firstOpen, window).CopyTo(words.AsSpan(1));
        unknown.CopyTo(words.AsSpan(1 + window));
        return new Fingerprint(words);
    }

    private static ulong Bit(int index) => 1UL << (index % 64);

    /// <summary>A set's contents as a value, equal exactly if the sets are (of one partition).</summary>
    internal readonly struct Fingerprint(ulong[] words) : IEquatable<Fingerprint>
    {
        private readonly ulong[] words = words;

        public bool Equals(Fingerprint other) => words.AsSpan().SequenceEqual(other.words);

        public override bool Equals(object? obj) => obj is Fingerprint other && Equals(other);

        public override int GetHashCode()
        {
            ulong hash = (ulong)words.Length;
            foreach (ulong word in words)
                hash = BitOperations.RotateLeft((hash ^ word) * 0x9E3779B97F4A7C15, 29);
            return (int)(hash ^ (hash >> 32));
        }
    }
}
