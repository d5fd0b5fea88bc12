using System.Net;
using System.Net.Sockets;
using Coordinator.Tests.Silo;

namespace Coordinator.Tests.Fuzz;

/// <summary>One client that sends one HTTP case after another, and looks at what comes back.</summary>
internal sealed class HttpLane(FuzzTarget target) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    // Kestrel answers nobody who has said that no more will come.
    private static readonly TimeSpan AnswerTime = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan WaitPatience = TimeSpan.FromMilliseconds(50);

    private TcpClient? _tcp;
    private HttpResponseReader? _reader;

    public void Dispose() => _tcp?.Dispose();

    public async Task RunAsync(HttpCase sent, FuzzCounts counts)
    {
        if (!target.Spares(sent.Text))
            return;
        if (sent.Framed)
        {
            // A server may end a connection after any answer; whoever finds it closed asks again on another.
            bool reused = _tcp is not null;
            if (!await AskAsync(sent, reused, counts))
                await AskAsync(sent, reused: false, counts);
        }
        else
        {
            await BreakAsync(sent, counts);
        }
    }

    /// <summary>One whole request gets one answer, on a connection that others used before it.</summary>
    /// <returns>False when the connection that was <paramref name="reused"/> was closed already.</returns>
    private async Task<bool> AskAsync(HttpCase sent, bool reused, FuzzCounts counts)
    {
        await ConnectAsync();
        using CancellationTokenSource deadline = new(sent.MayWait ? WaitPatience : Patience);
        Task sending = SendAsync(_tcp!, sent.Bytes);
        try
        {
            HttpAnswer? answer = await _reader!.ReadAsync(sent.IsHead, deadline.Token);
            if (answer is null && reused)
            {
                Drop();
                return false;
            }
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
        catch (EndOfStreamException e)
        {
            throw new FuzzFinding(e.Message);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // A server that refuses a large body before it has come resets the connection.
            Drop();
            if (reused)
                return false;
            if (sent.Bytes.Length < 32 * 1024)
                throw new FuzzFinding($"The connection was reset without an answer: {e.Message}");
            counts.Closed();
        }
        return true;
    }

    /// <summary>What is no whole request is answered or not, but the connection ends, and not by this side alone.</summary>
    private async Task BreakAsync(HttpCase sent, FuzzCounts counts)
    {
        using TcpClient tcp = await target.ConnectAsync();
        HttpResponseReader reader = new(tcp.GetStream());
        using CancellationTokenSource deadline = new(sent.MayWait ? WaitPatience : Patience);
        Task sending = SendAsync(tcp, sent.Bytes);
        bool hasEnded = false;
        void SendNoMore()
        {
            Volatile.Write(ref hasEnded, true);
            End(tcp);
        }
        using Timer end = new(_ => SendNoMore(), null, sent.Stalls ? Timeout.InfiniteTimeSpan : AnswerTime, Timeout.InfiniteTimeSpan);
        try
        {
            while (await reader.ReadAsync(sent.IsHead, deadline.Token) is { } answer)
            {
                FuzzRules.Check(answer, sent.IsHead);
                counts.Count(answer);
                if (answer.Status == HttpStatusCode.SwitchingProtocols)
                    return;
                SendNoMore();
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
        // Kestrel also breaks off an answer to somebody who has said that no more will come.
        catch (EndOfStreamException e) when (!Volatile.Read(ref hasEnded))
        {
            throw new FuzzFinding(e.Message);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            counts.Closed();
        }
    }

    /// <summary>No more will be sent.</summary>
    private static void End(TcpClient tcp)
    {
        try
        {
            tcp.Client?.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The silo was first.
        }
    }

    private static async Task SendAsync(TcpClient tcp, byte[] bytes)
    {
        try
        {
            await tcp.GetStream().WriteAsync(bytes);
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
