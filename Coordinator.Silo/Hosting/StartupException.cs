namespace Coordinator.Silo.Hosting;

/// <summary>
/// The silo cannot start, or cannot go on. The message is written for the person who started it: what is wrong, with
/// which value, and what to do. It is printed as it is, without a stack trace.
/// </summary>
internal sealed class StartupException : Exception
{
    public StartupException(ExitCode exitCode, string message, Exception? inner = null)
        : base(message, inner) => ExitCode = exitCode;

    public ExitCode ExitCode { get; }
}
