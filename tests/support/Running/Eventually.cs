using System.Runtime.ExceptionServices;

namespace Entrepot.TestSupport.Running;

/// <summary>Waits on a condition with a deadline, so that no test sleeps for a guessed time.</summary>
public static class Eventually
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);

    /// <summary>Returns as soon as <paramref name="condition"/> is true, asked every 20 ms.</summary>
    /// <param name="condition">May throw while it is not yet true: the last exception is told when the deadline passes. Nobody waits beyond the deadline for its answer.</param>
    /// <param name="deadline">How long to wait at most.</param>
    /// <param name="what">What is waited for, as the end of "waited N s for …".</param>
    /// <param name="cancellationToken">Ends the wait early.</param>
    /// <exception cref="TimeoutException">The condition was still false at the deadline.</exception>
    public static async Task Async(Func<Task<bool>> condition, TimeSpan deadline, string what, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(condition);
        var end = TestClock.Now + deadline;
        ExceptionDispatchInfo? last = null;
        while (true)
        {
            try
            {
                var answer = condition();
                var left = end - TestClock.Now;
                if (await answer.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, cancellationToken)) return;
                last = null;
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                last = ExceptionDispatchInfo.Capture(e);
            }

            if (TestClock.Now >= end)
            {
                throw new TimeoutException($"Waited {deadline.TotalSeconds:0.#} s for {what}" + (last is null ? "." : $"; the last attempt failed: {last.SourceException.Message}"), last?.SourceException);
            }

            await Task.Delay(Step, cancellationToken);
        }
    }

    /// <inheritdoc cref="Async(Func{Task{bool}}, TimeSpan, string, CancellationToken)"/>
    public static Task Async(Func<bool> condition, TimeSpan deadline, string what, CancellationToken cancellationToken = default) =>
        Async(() => Task.FromResult(condition()), deadline, what, cancellationToken);
}
