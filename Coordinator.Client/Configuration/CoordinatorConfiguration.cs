using System.Text.Json;
using Coordinator.Client.Connection;
using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>
/// Settings: values of up to 1 MiB under keys such as "app/setting", with their history. All members throw
/// <see cref="CoordinatorTimeoutException"/> if the cluster doesn't answer and nothing was changed,
/// <see cref="CoordinatorOutcomeUnknownException"/> if a write may have happened,
/// <see cref="RevisionCompactedException"/> if a revision is no longer kept, and <see cref="CoordinatorException"/> for
/// any other refusal. Writes are sent again when a connection is lost, and done once. In a cluster of several groups each
/// has revisions of its own, so that what goes by revisions has to be in one group: a prefix without a whole namespace,
/// such as "ord", is refused there with <see cref="ErrorCode.SpansGroups"/>; "orders/" is not.
/// </summary>
public partial class CoordinatorConfiguration
{
    private readonly ClientGroups _groups;

    internal CoordinatorConfiguration(ClientGroups groups) => _groups = groups;

    protected CoordinatorConfiguration() => _groups = null!;

    /// <summary>Stores text, as UTF-8.</summary>
    /// <exception cref="ConditionFailedException">The key is not as <paramref name="options"/> expect it.</exception>
    /// <param name="cancellationToken">Ends the wait; the write may or may not happen.</param>
    public virtual Task<ConfigRevision> PutAsync(
        string key, string value, PutOptions? options = null, CancellationToken cancellationToken = default) =>
        PutAsync(key, Keys.Utf8(value), WithContentType(options, Keys.PlainText), cancellationToken);

    /// <summary>Stores <paramref name="value"/>, which is copied.</summary>
    /// <inheritdoc cref="PutAsync(string, string, PutOptions, CancellationToken)"/>
    public virtual async Task<ConfigRevision> PutAsync(
        string key, ReadOnlyMemory<byte> value, PutOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        PutConfig put = Keys.MakePut(key, value.Span, options?.ContentType ?? "");
        options?.Apply(put);
        CommandAnswer answer =
            await WriteAsync(new Command { PutConfig = put }, Scope.Of(key), cancellationToken).ConfigureAwait(false);
        return new ConfigRevision(answer.Result.Revision, answer.Result.Version, answer.Position?.Group ?? 0);
    }

    /// <summary>Stores <paramref name="value"/> as JSON.</summary>
    /// <inheritdoc cref="PutAsync(string, string, PutOptions, CancellationToken)"/>
    public virtual Task<ConfigRevision> PutJsonAsync<T>(
        string key, T value, PutOptions? options = null, JsonSerializerOptions? json = null,
        CancellationToken cancellationToken = default) =>
        PutAsync(key, JsonSerializer.SerializeToUtf8Bytes(value, json), WithContentType(options, "application/json"),
            cancellationToken);

    /// <returns>False if there was no such key.</returns>
    /// <exception cref="ConditionFailedException">The key is not as <paramref name="options"/> expect it.</exception>
    /// <param name="cancellationToken">Ends the wait; the deletion may or may not happen.</param>
    public virtual async Task<bool> DeleteAsync(
        string key, DeleteOptions? options = null, CancellationToken cancellationToken = default)
    {
        Keys.CheckKey(key);
        DeleteConfig delete = new() { Key = key };
        options?.Apply(delete);
        CommandAnswer answer =
            await WriteAsync(new Command { DeleteConfig = delete }, Scope.Of(key), cancellationToken).ConfigureAwait(false);
        return answer.Result.Error == ErrorCode.Ok;
    }

    /// <summary>Several checks and changes as one: see <see cref="ConfigTransaction"/>.</summary>
    public virtual ConfigTransaction Transaction() => new(this);

    /// <summary>
    /// Forgets all revisions before <paramref name="revision"/>, whose own state can still be read. Nothing to do if
    /// they are forgotten already. The cluster compacts by itself too: by age, number and size.
    /// </summary>
    /// <param name="group">Whose revision it is, such as <see cref="ConfigRevision.Group"/>; null: the only one there is.</param>
    public virtual async Task CompactAsync(
        long revision, int? group = null, CancellationToken cancellationToken = default)
    {
        Keys.CheckRevision(revision);
        Keys.CheckGroup(group);
        Command command = new() { CompactConfig = new CompactConfig { Revision = revision } };
        try
        {
            await WriteAsync(command, Scope.OfGroup(group), cancellationToken).ConfigureAwait(false);
        }
        catch (RevisionCompactedException)
        {
            // As it should be.
            return;
        }
    }

    /// <summary>
    /// Makes the keys that begin with <paramref name="prefix"/> (empty: all keys) what they were at
    /// <paramref name="revision"/>, as one new revision; keys created since are deleted. Keys bound to a session are
    /// left alone.
    /// </summary>
    /// <returns>The group's revision after it.</returns>
    /// <exception cref="RevisionCompactedException">The revision is no longer kept.</exception>
    public virtual async Task<long> RollBackAsync(
        string prefix, long revision, CancellationToken cancellationToken = default)
    {
        Keys.CheckPrefix(prefix);
        Keys.CheckRevision(revision);
        Command command = new() { RollBackConfig = new RollBackConfig { Prefix = prefix, Revision = revision } };
        CommandAnswer answer =
            await WriteAsync(command, Scope.OfPrefix(prefix), cancellationToken).ConfigureAwait(false);
        return answer.Result.Revision;
    }

    internal async Task<CommandAnswer> WriteAsync(Command command, Scope scope, CancellationToken cancellationToken)
    {
        Completion completion =
            await _groups.RunAsync(new WriteOperation(command), scope, cancellationToken).ConfigureAwait(false);
        CommandAnswer answer = ((Completion.Answered)completion).Answer;
        ErrorCode error = answer.Result?.Error ?? ErrorCode.Internal;
        return error is ErrorCode.Ok or ErrorCode.KeyNotFound ? answer : throw Refusal.Of(error, answer.Message);
    }

    private static PutOptions WithContentType(PutOptions? options, string contentType) =>
        options is null ? new PutOptions { ContentType = contentType }
        : options with { ContentType = options.ContentType ?? contentType };
}
