package number
import ("testing";"math/rand/v2")
func BenchmarkZ(b *testing.B){
 var x [4096]float64; var p [4096]float64; var u [4096]int64
 for i:=range x {x[i]=rand.NormFloat64(); p[i]=float64(rand.IntN(100000))/100; u[i]=int64(500000+i)}
 n:=Polars64(true); buf:=make([]byte,0,1<<20)
 for _,k:=range []string{"long","any","price","uint","digits","shortest"} { b.Run(k,func(b *testing.B){
  s:=uint64(0)
  for b.Loop() { buf=buf[:0]
   switch k {
   case "long": for i:=range x {buf=AppendLong64(buf,x[i],&n)}
   case "any": for i:=range x {buf=AppendFloat64(buf,x[i],&n)}
   case "price": for i:=range x {buf=AppendFloat64(buf,p[i],&n)}
   case "uint": for i:=range x {buf=AppendInt(buf,u[i])}
   case "digits": for i:=range x {s+=eightDigits(uint64(u[i]))}
   case "shortest": for i:=range x {f,e:=mantissa64(x[i]); d,_:=shortestNormal64(f,e); s+=d}
   }}
  b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4096,"ns/val"); _=s })}
}
