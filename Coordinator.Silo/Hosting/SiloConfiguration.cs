namespace Coordinator.Silo.Hosting;

/// <summary>Where options come from: appsettings.json beside the program, the environment, the command line; the later wins.</summary>
internal static class SiloConfiguration
{
    private const string FileName = "appsettings.json";

    /// <exception cref="StartupException">The command line or the file cannot be read.</exception>
    public static IConfiguration Load(string[] args)
    {
        CommandLine.Check(args);
        try
        {
            return new ConfigurationBuilder()
                .SetBasePath(AppContext.BaseDirectory)
                .AddJsonFile(FileName, optional: true)
                .AddEnvironmentVariables()
                .AddCommandLine(args, CommandLine.ShortNames)
                .Build();
        }
        catch (InvalidDataException e)
        {
            throw new StartupException(
                ExitCode.BadOptions, $"{FileName} cannot be read: {e.InnerException?.Message ?? e.Message}", e);
        }
    }
}
