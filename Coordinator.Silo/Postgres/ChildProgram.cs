using System.Diagnostics;

namespace Coordinator.Silo.Postgres;

/// <summary>Runs a program to its end and keeps what it wrote. Nothing of it is left when the task has ended.</summary>
internal static class ChildProgram
{
    public static async Task<ProgramResult> RunAsync(ProcessStartInfo start, CancellationToken cancellationToken)
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        Task<string> errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            throw;
        }

        return new ProgramResult(process.ExitCode, (await output + await errors).Trim());
    }
}

internal sealed record ProgramResult(int ExitCode, string Output);
