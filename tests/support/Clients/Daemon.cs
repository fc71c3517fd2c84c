using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Clients;

/// <summary>A client's daemon: started at the first use in a test run, in a folder of its own, and ended by its id when the run ends.</summary>
internal sealed class Daemon(string command, Func<TempFolder, IEnumerable<string>> arguments, Func<TempFolder, Task<bool>> answers, IReadOnlyDictionary<string, string?>? environment = null)
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private ChildProcess? _process;
    private TempFolder? _folder;

    public TempFolder Folder => _folder ?? throw new InvalidOperationException($"{command} was not started.");

    public int Id => _process!.Id;

    public string Output => _process?.Output ?? "";

    /// <summary>Ends it, if it runs; the next start begins with the folder it had.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_process is null) return;
            await _process.TerminateAsync(TimeSpan.FromSeconds(30), cancellationToken);
            await _process.DisposeAsync();
            _process = null;
        }
        finally
        {
            _gate.Release();
        }
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_process is { HasExited: false }) return;
            _folder ??= new TempFolder(command);
            var process = ChildProcess.Start(command, arguments(_folder), environment);
            try
            {
                await Eventually.Async(async () => process.HasExited || await answers(_folder), TimeSpan.FromSeconds(30), $"{command} to answer", cancellationToken);
                if (process.HasExited) throw new InvalidOperationException($"{command} ended at once.");
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                await process.DisposeAsync();
                throw new InvalidOperationException($"{command} did not start: {e.Message} It wrote:\n{process.Output}", e);
            }

            _process = process;
        }
        finally
        {
            _gate.Release();
        }
    }
}
