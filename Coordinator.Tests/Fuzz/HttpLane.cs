using System.Net;
using System.Net.Sockets;
using Coordinator.Tests.Silo;

namespace Coordinator.Tests.Fuzz;

/// <summary>One client that sends one HTTP case after another, and looks at what comes back.</summary>
internal sealed class HttpLane(FuzzTarget target) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WaitPatience = TimeSpan.FromMilliseconds(50);

    private TcpClient? _tcp;
    private HttpResponseReader? _reader;

    public void Dispose() => _tcp?.Dispose();

    public async Task RunAsync(HttpCase sent, FuzzCounts counts)
    {
        if (!target.Spares(sent.Text))
            return;
        if (sent.Framed)
            await AskAsync(sent, counts);
        else
            await BreakAsync(sent, counts);
    }

    /// <summary>One whole request gets one answer, on a connection that others used before it.</summary>
    private async Task AskAsync(HttpCase sent, FuzzCounts counts)
    {
        await ConnectAsync();
        using CancellationTokenSource deadline = new(sent.MayWait ? WaitPatience : Patience);
        Task sending = SendAsync(_tcp!, sent.Bytes);
        try
        {
            HttpAnswer? answer = await _reader!.ReadAsync(sent.IsHead, deadline.Token);
            if (answer is null)
                throw new FuzzFinding("The connection was closed without an answer.");
            FuzzRules.Check(answer, sent.IsHead);
            counts.Count(answer);
            await sending;
            if (Closes(answer))
                Drop();
        }
        catch (OperationCanceledException) when (sent.MayWait)
        {
            counts.LeftWaiting();
            Drop();
        }
        catch (OperationCanceledException)
        {
            throw new FuzzFinding($"No answer within {Patience.TotalSeconds} s.");
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // A server that refuses a large body before it has come resets the connection.
            if (sent.Bytes.Length < 32 * 1024)
                throw new FuzzFinding($"The connection was reset without an answer: {e.Message}");
            counts.Closed();
            Drop();
        }
    }

    /// <summary>What is no whole request is answered or not, but the connection ends, and not by this side alone.</summary>
    private async Task BreakAsync(HttpCase sent, FuzzCounts counts)
    {
        using TcpClient tcp = await target.ConnectAsync();
        HttpResponseReader reader = new(tcp.GetStream());
        using CancellationTokenSource deadline = new(sent.MayWait ? WaitPatience : Patience);
        Task sending = SendAsync(tcp, sent.Bytes, end: !sent.Stalls);
        try
        {
            while (await reader.ReadAsync(sent.IsHead, deadline.Token) is { } answer)
            {
                FuzzRules.Check(answer, sent.IsHead);
                counts.Count(answer);
                if (answer.Status == HttpStatusCode.SwitchingProtocols)
                    return;
            }
            await sending;
            counts.Closed();
        }
        catch (OperationCanceledException) when (sent.MayWait)
        {
            counts.LeftWaiting();
        }
        catch (OperationCanceledException)
        {
            throw new FuzzFinding($"The connection is still open after {Patience.TotalSeconds} s.");
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            counts.Closed();
        }
    }

    private static async Task SendAsync(TcpClient tcp, byte[] bytes, bool end = false)
    {
        try
        {
            await tcp.GetStream().WriteAsync(bytes);
            if (end)
                tcp.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // Refused before all of it was sent; the answer, if one came, is read by the other side of this lane.
        }
    }

    private async Task ConnectAsync()
    {
        if (_tcp is not null)
            return;
        _tcp = await target.ConnectAsync();
        _reader = new HttpResponseReader(_tcp.GetStream());
    }

    private void Drop()
    {
        _tcp?.Dispose();
        _tcp = null;
    }

    private static bool Closes(HttpAnswer answer) =>
        answer.Status == HttpStatusCode.SwitchingProtocols
        || answer.Headers.GetValueOrDefault("Connection", "").Contains("close", StringComparison.OrdinalIgnoreCase);
}
