namespace Coordinator.Silo.Hosting;

/// <summary>Where options come from: appsettings.json beside the program, the file of --config, the environment, the command line; the later wins.</summary>
internal static class SiloConfiguration
{
    private const string FileName = "appsettings.json";

    /// <exception cref="StartupException">The command line or the file cannot be read.</exception>
    public static IConfiguration Load(string[] args)
    {
        CommandLine.Check(args);
        string? given = CommandLine.FindConfigFile(args) is { } file ? Path.GetFullPath(file) : null;
        if (given is not null && !File.Exists(given))
            throw new StartupException(ExitCode.BadOptions, $"There is no file {given} (--config).");
        try
        {
            IConfigurationBuilder builder = new ConfigurationBuilder()
                .SetBasePath(AppContext.BaseDirectory)
                .AddJsonFile(FileName, optional: true);
            if (given is not null)
                builder.AddJsonFile(given, optional: false);
            return builder.AddEnvironmentVariables().AddCommandLine(args, CommandLine.ShortNames).Build();
        }
        catch (InvalidDataException e)
        {
            throw new StartupException(
                ExitCode.BadOptions,
                $"{FileName}{(given is null ? "" : $" or {given}")} cannot be read: {e.InnerException?.Message ?? e.Message}", e);
        }
    }
}
