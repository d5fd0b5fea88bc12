using System.Net;
using System.Net.Sockets;
using System.Text;
using Coordinator.Contracts;
using Coordinator.Grains.Backup;
using Coordinator.Replica;
using Coordinator.Tests.Backup;

namespace Coordinator.Tests.Silo;

public sealed class HttpSnapshotTests : IAsyncLifetime
{
    private const string Path = "/v1/groups/0/snapshot";

    private HttpTestSilo _silo = null!;

    public async Task InitializeAsync() =>
        _silo = await HttpTestSilo.StartAsync(options => options.StreamWriteTimeout = TimeSpan.FromMilliseconds(500));

    public async Task DisposeAsync() => await _silo.DisposeAsync();

    [Fact]
    public async Task A_snapshot_is_sent_as_its_file_and_freed_afterwards()
    {
        SavedState saved = SavedStates.Small();
        TaskCompletionSource freed = new();
        _silo.Group.Saving = () => new SavedGroup(ErrorCode.Ok, "", saved, freed.SetResult);

        using HttpResponseMessage response = await _silo.Client.GetAsync(new Uri(Path, UriKind.Relative));

        byte[] expected = SavedStates.FileOf(saved);
        Assert.Equal("application/octet-stream", response.Content.Headers.ContentType!.ToString());
        Assert.Equal(expected.Length, response.Content.Headers.ContentLength);
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("1003", response.Headers.GetValues("X-Raft-Index").Single());
        Assert.Equal("501", response.Headers.GetValues("X-Coordinator-Revision").Single());
        Assert.Equal(expected, await response.Content.ReadAsByteArrayAsync());
        await freed.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_head_is_told_the_length_and_sent_nothing()
    {
        SavedState saved = SavedStates.Small();
        _silo.Group.Saving = () => new SavedGroup(ErrorCode.Ok, "", saved);
        using HttpRequestMessage head = new(HttpMethod.Head, Path);
        using HttpResponseMessage response = await _silo.Client.SendAsync(head);
        Assert.Equal(SnapshotFile.LengthOf(saved), response.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task A_client_that_takes_nothing_is_cut_off_and_its_snapshot_freed()
    {
        // More than what the sockets between them hold.
        SavedState large = SavedStates.Small() with { Bytes = new byte[64 * 1024 * 1024] };
        TaskCompletionSource freed = new();
        _silo.Group.Saving = () => new SavedGroup(ErrorCode.Ok, "", large, freed.SetResult);
        using TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, _silo.Client.BaseAddress!.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET {Path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        await freed.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData(ErrorCode.SnapshotInProgress, 429)]
    [InlineData(ErrorCode.NoQuorum, 503)]
    public async Task A_refusal_is_told_by_name(ErrorCode code, int status)
    {
        _silo.Group.Saving = () => new SavedGroup(code, "Not now.", null);
        HttpAnswer answer = await _silo.SendAsync("GET", Path);
        Assert.Equal(status, (int)answer.Status);
        Assert.Equal(code.ToString(), answer.Json.GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_group_that_is_no_number_is_refused()
    {
        HttpAnswer answer = await _silo.SendAsync("GET", "/v1/groups/a/snapshot");
        Assert.Equal("InvalidRequest", answer.Json.GetProperty("code").GetString());
        Assert.Empty(_silo.Group.Saved);
    }
}
