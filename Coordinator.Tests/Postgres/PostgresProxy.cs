using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Coordinator.Tests.Postgres;

/// <summary>
/// Stands between a client and the server's socket, to hold back what either has sent, and to cut the client off
/// while the server's side stays open and gets what was held.
/// </summary>
public sealed class PostgresProxy : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentQueue<Link> _links = new();
    private readonly string _serverSocket;
    private readonly Task _accepting;

    public PostgresProxy(string serverSocket)
    {
        _serverSocket = serverSocket;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Bytes that came from the clients, forwarded or not.</summary>
    public long RequestedBytes => _links.Sum(link => link.RequestedBytes);

    /// <summary>Bytes that came from the server, forwarded or not.</summary>
    public long AnsweredBytes => _links.Sum(link => link.AnsweredBytes);

    /// <summary>From now on, on the connections that are open now. New ones are not touched.</summary>
    public void HoldRequests() => ForEach(link => link.HoldRequests());

    public void HoldAnswers() => ForEach(link => link.HoldAnswers());

    public void Release() => ForEach(link => link.Release());

    public void ReleaseAnswers() => ForEach(link => link.ReleaseAnswers());

    /// <summary>Lets the answers pass that are held now; those that come after them are held.</summary>
    public void PassHeldAnswers() => ForEach(link => link.PassHeldAnswers());

    /// <summary>Closes the client's side of the connections that are open now.</summary>
    public void CutClients() => ForEach(link => link.CutClient());

    /// <summary>Closes the server's side too where the client's was cut; what was held is lost.</summary>
    public void DiscardCut()
    {
        for (int left = _links.Count; left > 0 && _links.TryDequeue(out Link? link); left--)
        {
            if (link.IsCut)
            {
                link.Dispose();
            }
            else
            {
                _links.Enqueue(link);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
        ForEach(link => link.Dispose());
    }

    private void ForEach(Action<Link> action)
    {
        foreach (Link link in _links)
        {
            action(link);
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket client = await _listener.AcceptAsync();
                client.NoDelay = true;
                var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await server.ConnectAsync(new UnixDomainSocketEndPoint(_serverSocket));
                    // Listed before anything passes: whoever holds or cuts what is open holds or cuts it too.
                    var link = new Link(client, server);
                    _links.Enqueue(link);
                    link.Start();
                }
                catch (SocketException)
                {
                    client.Dispose();
                    server.Dispose();
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed: the listener is closed.
        }
    }

    private sealed class Link : IDisposable
    {
        private readonly Socket _client;
        private readonly Socket _server;
        private volatile TaskCompletionSource _requests = Open();
        private volatile TaskCompletionSource _answers = Open();
        private volatile bool _cut;
        private long _requestedBytes;
        private long _answeredBytes;

        public Link(Socket client, Socket server)
        {
            _client = client;
            _server = server;
        }

        public void Start()
        {
            _ = PumpAsync(
                _client, _server, () => _requests.Task, bytes => Interlocked.Add(ref _requestedBytes, bytes), () =>
                {
                    if (!_cut)
                    {
                        _server.Dispose();
                    }
                });
            _ = PumpAsync(
                _server, _client, () => _answers.Task, bytes => Interlocked.Add(ref _answeredBytes, bytes), _client.Dispose);
        }

        public bool IsCut => _cut;

        public long RequestedBytes => Interlocked.Read(ref _requestedBytes);

        public long AnsweredBytes => Interlocked.Read(ref _answeredBytes);

        // Whatever the client does once its requests are held, the server is to get them.
        public void HoldRequests()
        {
            _cut = true;
            _requests = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        public void HoldAnswers() =>
            _answers = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Release()
        {
            _requests.TrySetResult();
            _answers.TrySetResult();
        }

        public void ReleaseAnswers() => _answers.TrySetResult();

        public void PassHeldAnswers()
        {
            TaskCompletionSource held = _answers;
            HoldAnswers();
            held.TrySetResult();
        }

        public void CutClient()
        {
            _cut = true;
            _client.Dispose();
        }

        public void Dispose()
        {
            // First, so that what is held never reaches it.
            _server.Dispose();
            _client.Dispose();
            Release();
        }

        private static TaskCompletionSource Open()
        {
            var open = new TaskCompletionSource();
            open.SetResult();
            return open;
        }

        private static async Task PumpAsync(
            Socket from, Socket to, Func<Task> gate, Action<int> received, Action ended)
        {
            byte[] buffer = new byte[64 * 1024];
            try
            {
                for (int count; (count = await from.ReceiveAsync(buffer)) > 0;)
                {
                    received(count);
                    await gate();
                    for (int sent = 0; sent < count;)
                    {
                        sent += await to.SendAsync(buffer.AsMemory(sent, count - sent));
                    }
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // One side is gone: that is what proxies are for.
            }

            ended();
        }
    }
}
