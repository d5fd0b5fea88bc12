using Coordinator.Client;
using Coordinator.Simulation.Linearizability;

namespace Coordinator.Tests.EndToEnd;

/// <summary>Puts, gets and deletes through the client, written down as their caller sees them.</summary>
internal sealed class RecordedSettings(CoordinatorConfiguration configuration, OperationRecorder<ConfigInput, ConfigOutput> recorder)
{
    public Task PutAsync(int caller, string key, string value) => RecordAsync(caller, new ConfigInput.Put(key, value), async () =>
    {
        ConfigRevision stored = await configuration.PutAsync(key, value, cancellationToken: CancellationToken.None);
        return new ConfigOutput.Stored(stored.Version, stored.Revision);
    });

    public Task GetAsync(int caller, string key) => RecordAsync(caller, new ConfigInput.Get(key), async () =>
        await configuration.GetAsync(key) is { } entry
            ? new ConfigOutput.Found(entry.GetString(), entry.Version, entry.ModifyRevision)
            : new ConfigOutput.NotFound());

    /// <summary>The client doesn't tell the revision.</summary>
    public Task DeleteAsync(int caller, string key) => RecordAsync(caller, new ConfigInput.Delete(key), async () =>
        await configuration.DeleteAsync(key) ? new ConfigOutput.Deleted(null) : new ConfigOutput.NotFound());

    private async Task RecordAsync(int caller, ConfigInput input, Func<Task<ConfigOutput>> call)
    {
        int operation = recorder.Invoke(caller, input);
        try
        {
            recorder.Return(operation, await call());
        }
        catch (CoordinatorOutcomeUnknownException)
        {
            recorder.GiveUp(operation);
        }
        // The client promises that nothing was changed.
        catch (CoordinatorTimeoutException)
        {
            recorder.HadNoEffect(operation);
        }
    }
}
