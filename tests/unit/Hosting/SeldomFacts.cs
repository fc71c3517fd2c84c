using Entrepot.Hosting;
using Xunit;

namespace Entrepot.UnitTests.Hosting;

public sealed class SeldomFacts
{
    [Fact]
    public void The_first_is_due_and_one_more_each_time_the_time_is_over()
    {
        var time = new ManualTime();
        var seldom = new Seldom(TimeSpan.FromSeconds(10), time);
        Assert.Equal([true, false, false], Enumerable.Range(0, 3).Select(_ => seldom.IsDue()));
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(seldom.IsDue());
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([true, false], Enumerable.Range(0, 2).Select(_ => seldom.IsDue()));
    }
}
