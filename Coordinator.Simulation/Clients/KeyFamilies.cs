namespace Coordinator.Simulation.Clients;

/// <summary>Which keys clients do what to. Invariant: what is changed under one prefix is changed under no other.</summary>
internal static class KeyFamilies
{
    /// <summary>Changed one at a time; no command depends on their values, so that an altered one changes no result.</summary>
    public const string Plain = "key/";

    /// <summary>Changed one at a time too, by transactions among others.</summary>
    public const string Transacted = "one/";

    /// <summary>Changed by several at once, by roll-backs, and by the ends of sessions.</summary>
    public const string Shared = "cfg/";

    /// <summary>Its history can be judged by itself.</summary>
    public static bool IsChangedAlone(string key) =>
        key.StartsWith(Plain, StringComparison.Ordinal) || key.StartsWith(Transacted, StringComparison.Ordinal);
}
