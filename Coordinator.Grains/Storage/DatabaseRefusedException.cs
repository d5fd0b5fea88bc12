namespace Coordinator.Grains.Storage;

/// <summary>The database is one that must not be used as it is; the message says why and what to do.</summary>
public class DatabaseRefusedException : Exception
{
    public DatabaseRefusedException(string message)
        : base(message)
    {
    }

    public DatabaseRefusedException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>The schema was written by a newer version of this program.</summary>
public sealed class SchemaTooNewException(int stored, int known)
    : DatabaseRefusedException(
        $"The database's schema has version {stored}, this program knows versions up to {known}: "
        + "start the newer program, or point this one at another database.");

/// <summary>Bootstrap met a database that already holds a cluster or peers (rule 1). Nothing was changed.</summary>
public sealed class AlreadyBootstrappedException(string found)
    : DatabaseRefusedException(
        $"The database already holds {found}; a cluster is bootstrapped once, in empty databases.");
