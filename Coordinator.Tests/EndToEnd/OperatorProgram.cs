using System.Diagnostics;
using Coordinator.Silo.Hosting;

namespace Coordinator.Tests.EndToEnd;

/// <summary>The built silo's program, run for what an operator types.</summary>
internal static class OperatorProgram
{
    /// <returns>All that it wrote.</returns>
    public static async Task<string> RunAsync(ExitCode expected, params string[] words)
    {
        using Process program = Process.Start(new ProcessStartInfo(
            "dotnet", [Path.Combine(SiloProcess.ProgramFolder, "Coordinator.Silo.dll"), .. words])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        })!;
        program.StandardInput.Close();
        Task<string> errors = program.StandardError.ReadToEndAsync();
        string output = await program.StandardOutput.ReadToEndAsync() + await errors;
        await program.WaitForExitAsync();
        Assert.True((int)expected == program.ExitCode, $"{program.ExitCode}: {output}");
        return output;
    }
}
